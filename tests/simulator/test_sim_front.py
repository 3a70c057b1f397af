"""The first bytes of a connection, on a transport that is none."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.front import Front
from openai_realtime_api_utils.simulator.http_messages import as_json

POST = (
    b"POST /v1/x?a=1&a=2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer  k \r\nX-A: 1\r\nX-A: 2\r\n"
    b"Content-Length: 5\r\n\r\nhello"
)
GET = b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n"


class Wire:
    """Be a transport and everybody that a front talks to."""

    def __init__(self):
        self.written = b""
        self.is_closed = False
        self.upgraded = None
        self.requests = []
        self.ends = 0
        self.front = Front(self, upgrade=self.upgrade, answer=self.answer, on_end=self.ended)

    def set_protocol(self, protocol):
        """Nothing comes but by ``receive``."""

    def write(self, data):
        self.written += data

    def close(self):
        self.is_closed = True

    def abort(self):
        self.is_closed = True

    def upgrade(self, transport, received):
        self.upgraded = received

    def answer(self, request):
        self.requests.append(request)
        return as_json({"path": request.path})

    def ended(self, front):
        self.ends += 1

    def receive(self, *pieces):
        for piece in pieces:
            self.front.data_received(piece)
        return self


def cut(data, places):
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if b > a]


@given(st.lists(st.integers(0, 1000), max_size=20))
def test_request_in_any_pieces(places):
    """However a request is cut, it is one request, and is answered once."""
    wire = Wire().receive(*cut(POST, places))
    (request,) = wire.requests
    assert (request.method, request.path, request.query, request.key) == ("POST", "/v1/x", {"a": "1"}, "k")
    assert (request.headers["x-a"], request.body) == ("1,2", b"hello")
    assert wire.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert wire.written.endswith(b'{"path": "/v1/x"}')
    assert (wire.is_closed, wire.ends) == (True, 1)


@given(st.lists(st.integers(0, 1000), max_size=20), st.binary(max_size=20))
def test_what_may_become_a_websocket_is_handed_on_whole(places, more):
    """Every byte that came is handed on, and nothing is said."""
    pieces = cut(GET, places)
    wire = Wire().receive(*pieces[:-1], pieces[-1] + more)
    assert (wire.upgraded, wire.written, wire.ends) == (GET + more, b"", 1)


@given(
    st.lists(
        st.binary(min_size=1, max_size=50)
        | st.sampled_from([b"\r\n", b"\r\n\r\n", b"GET / HTTP/1.1\r\n", b"Host: x\r\n"])
    )
)
def test_any_bytes(pieces):
    """Nothing that can be sent raises; it is read on, handed on, or answered once."""
    wire = Wire().receive(*pieces)
    wire.front.connection_lost(None)
    assert wire.ends == 1
    assert wire.written.count(b"HTTP/1.1 4") <= 1


def test_after_the_end_nothing_is_read():
    """A second request on the connection is not answered."""
    wire = Wire().receive(POST, POST)
    assert len(wire.requests) == 1
