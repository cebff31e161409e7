"""An SMSC and a submitter to measure with. They share no line of code with Sampan, so no mistake either."""
