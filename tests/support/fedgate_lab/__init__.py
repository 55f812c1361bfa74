"""fedgate_lab: real servers, a real gateway and independent clients on loopback, for the quickstart and the end-to-end tests.

Everything lives in one folder per laboratory, listens on free ports of 127.0.0.1 and is a child process that ends with its parent.
"""
