"""A socket that listens until close(), and the loop that accepts connections on it."""
import socket
import threading


class Listening:
    """Calls accepted(sock, peer) for each connection, one after the other, in a thread of its own."""

    def listen(self, address="127.0.0.1", port=0):
        """The last thing that a constructor does: connections may come at once."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family)
        self.port = self.listener.getsockname()[1]
        in_background(self.accept)

    def accept(self):
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            self.accepted(sock, peer)

    def accepted(self, sock, peer):
        raise NotImplementedError

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


def in_background(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()
