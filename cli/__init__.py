"""The operators' entrance: the command `tiendo`. Each command resolves its arguments, opens one
transaction and calls one operation; what it prints is for people to read.
"""
