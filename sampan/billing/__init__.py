"""PREPAID MONEY: the ledger and the prices, in whole pips (HK$0.0001)."""
