"""Who may ask what: keys, tokens of an identity provider, tenants and scopes, and how much a minute."""
