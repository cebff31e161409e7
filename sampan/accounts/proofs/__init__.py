"""What people prove themselves by: codes and links sent to them, second factors, sessions; and the mails of those."""
