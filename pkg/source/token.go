package source

// TokenKey is the key of a Receiver's Secret that verifies its calls and salts its webhook path.
const TokenKey = "token"
