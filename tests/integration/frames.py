"""Raw HTTP/2 over TLS, for what no well-behaved client sends."""

import socket
import ssl
import struct

import h2.config
import h2.connection
import h2.events
import h2.exceptions


class Raw:
    """One connection; unchecked headers and bodies on it."""

    def __init__(self, server, token=None):
        host, port = server.address.rsplit(":", 1)
        context = ssl.create_default_context(cadata=server.ca.decode())
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(socket.create_connection((host, int(port)), 5),
                                          server_hostname=host)
        self.socket.settimeout(10)
        assert self.socket.selected_alpn_protocol() == "h2"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            validate_outbound_headers=False, normalize_outbound_headers=False))
        self.h2.initiate_connection()
        self.token, self.authority = token, server.address
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def close(self):
        self.socket.close()

    def headers(self, path, **changes):
        fields = {":method": "POST", ":scheme": "https", ":path": path,
                  ":authority": self.authority, "te": "trailers",
                  "content-type": "application/grpc"}
        if self.token:
            fields["authorization"] = "Bearer " + self.token
        for key, value in changes.items():
            key = key if key.startswith(":") else key.replace("_", "-")
            if value is None:
                fields.pop(key, None)
            else:
                fields[key] = value
        return list(fields.items())

    def call(self, headers, body=b"", end=True):
        """(headers, data, trailers or reset code) of the answer."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, headers, end_stream=end and not body)
        self.flush()
        if body:
            try:
                self._send(stream, body, end)
            except (h2.exceptions.StreamClosedError, h2.exceptions.ProtocolError):
                pass
        return self.answer(stream)

    def _send(self, stream, body, end):
        while body:
            room = min(self.h2.local_flow_control_window(stream),
                       self.h2.max_outbound_frame_size, len(body))
            if room == 0:
                return
            chunk, body = body[:room], body[room:]
            self.h2.send_data(stream, chunk, end_stream=end and not body)
            self.flush()

    def answer(self, stream):
        answer = {"headers": {}, "data": b"", "trailers": {}, "reset": None, "closed": False}
        while True:
            try:
                data = self.socket.recv(65536)
            except (TimeoutError, ConnectionError):
                answer["timeout"] = True
                return answer
            if not data:
                answer["closed"] = True
                return answer
            for event in self.h2.receive_data(data):
                if getattr(event, "stream_id", None) not in (stream, None):
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    answer["headers"] = dict(decode(event.headers))
                elif isinstance(event, h2.events.DataReceived):
                    answer["data"] += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, h2.events.TrailersReceived):
                    answer["trailers"] = dict(decode(event.headers))
                elif isinstance(event, h2.events.StreamReset):
                    answer["reset"] = event.error_code
                    self.flush()
                    return answer
                elif isinstance(event, h2.events.StreamEnded):
                    self.flush()
                    return answer
                elif isinstance(event, h2.events.ConnectionTerminated):
                    answer["closed"] = True
            self.flush()


def decode(headers):
    return [(k.decode() if isinstance(k, bytes) else k,
             v.decode() if isinstance(v, bytes) else v) for k, v in headers]


def framed(message, flag=0, length=None):
    return struct.pack(">BI", flag, len(message) if length is None else length) + message


def status(answer):
    fields = {**answer["headers"], **answer["trailers"]}
    return int(fields["grpc-status"]) if "grpc-status" in fields else None
