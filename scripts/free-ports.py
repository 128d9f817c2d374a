"""Prints as many free ports of loopback as it is asked for.

Below the range from which the kernel takes ports for connections, ours and everybody's.
"""

import random
import socket
import sys

wanted = int(sys.argv[1])
held = []
for port in random.sample(range(20000, 30000), 200):
    try:
        held.append(socket.create_server(("127.0.0.1", port)))
    except OSError:
        continue
    if len(held) == wanted:
        break
print(*(server.getsockname()[1] for server in held))
