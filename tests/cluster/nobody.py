"""What another local user of this machine could do."""

from __future__ import annotations

CONNECT_AS_NOBODY = """
import os, pwd, socket, sys
os.setgroups([])
os.setgid(pwd.getpwnam("nobody").pw_gid)
os.setuid(pwd.getpwnam("nobody").pw_uid)
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
    print("connected")
except OSError as error:
    print(type(error).__name__)
"""
"""Connects to the unix socket of its argument; prints `connected`, or the error's name."""
