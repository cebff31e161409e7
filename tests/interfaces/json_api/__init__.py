"""The JSON API (sampan/interfaces/json_api)."""
