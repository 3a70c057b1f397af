"""Calls by WebRTC: a real peer connection, whose sound and events go over real sockets."""

import asyncio
import json

import httpx2 as httpx
import numpy as np
import pytest
from aioice import mdns
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI, NotFoundError

from openai_realtime_api_utils.clock import SystemClock
from openai_realtime_api_utils.errors import MissingExtraError
from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, serve, synthetic_speech
from openai_realtime_api_utils.simulator.http_messages import HttpRequest
from openai_realtime_api_utils.simulator.refusals import Refusal
from openai_realtime_api_utils.simulator.webrtc import calls, line
from openai_realtime_api_utils.simulator.webrtc.offers import read_offer
from openai_realtime_api_utils.simulator.webrtc.speech_track import SpeechTrack
from simulated import check_event

REALTIME = {"type": "realtime", "instructions": "Be brief."}
STORY = "Once upon a time there was a king who had three daughters, and the youngest of them loved to sing. " * 3
TALK = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "output_audio_buffer.started",
]


class Caller:
    """Be a peer as browsers are: a microphone, a loudspeaker and a data channel."""

    def __init__(self, *, with_channel=True):
        self.peer = RTCPeerConnection()
        self.mic = SpeechTrack(SystemClock())
        self.peer.addTrack(self.mic)
        self.events = asyncio.Queue()
        self.heard = []
        self.listening = None
        self.over = asyncio.Event()
        self.peer.on("track", self._listen)
        self.peer.on("connectionstatechange", self._changed)
        if with_channel:
            self.channel = self.peer.createDataChannel("oai-events")
            self.channel.on("message", self._told)

    async def __aenter__(self):
        await self.peer.setLocalDescription(await self.peer.createOffer())
        self.offer = self.peer.localDescription.sdp
        return self

    async def __aexit__(self, *_):
        await self.peer.close()
        if self.listening is not None:  # it does not end by itself where no connection came about
            self.listening.cancel()
            await asyncio.wait([self.listening])

    async def take(self, answer):
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def call(self, client, **session):
        """Call with the SDK; return the call's id."""
        answer = await client.realtime.calls.with_raw_response.create(sdp=self.offer, session=REALTIME | session)
        await self.take(answer.text)
        return answer.headers["location"].rpartition("/")[2]

    def send(self, **event):
        self.channel.send(json.dumps(event))

    async def until(self, event_type):
        """Return the events up to one of a type, without those that follow one of the same type."""
        events = []
        while not events or events[-1]["type"] != event_type:
            event = await self.events.get()
            check_event(event)
            events += [event]
        return events

    def loudness(self):
        """Return the highest amplitude of each 20 ms that was heard."""
        return [int(np.abs(frame).max()) for frame in self.heard]

    def _told(self, message):
        self.events.put_nowait(json.loads(message))

    def _changed(self):
        if self.peer.connectionState in ("closed", "failed"):
            self.over.set()

    def _listen(self, track):
        async def listen():
            try:
                while True:
                    self.heard.append((await track.recv()).to_ndarray())
            except MediaStreamError:
                return

        self.listening = asyncio.create_task(listen())


def types(events):
    """Return the types, those that repeat once."""
    found = [event["type"] for event in events]
    return [each for at, each in enumerate(found) if at == 0 or found[at - 1] != each]


@pytest.fixture
async def service():
    """Serve with answers for two turns; yield the server and a client of it."""
    async with (
        serve(lambda: ScriptedEngine(["Sunny.", STORY], hears=["the weather", "stop"])) as server,
        AsyncOpenAI(api_key="any", base_url=server.http_url) as client,
    ):
        yield server, client


async def test_a_spoken_question_is_answered_in_sound(service):
    """Sound goes on tracks both ways, and the events are those of a call: no audio among them."""
    async with Caller() as caller:
        await caller.call(service[1])
        [created] = await caller.until("session.created")
        caller.mic.say(synthetic_speech("what is the weather"))
        events = await caller.until("output_audio_buffer.stopped")
        while any(level > 100 for level in caller.loudness()[-10:]):  # the last of it is on its way
            await asyncio.sleep(0.01)
    assert created["session"]["instructions"] == "Be brief."
    found = types(events)
    assert found[:3] == [f"input_audio_buffer.{what}" for what in ("speech_started", "speech_stopped", "committed")]
    assert [each for each in found if each in TALK] == ["conversation.item.added", *TALK]
    assert "response.output_audio.delta" not in found
    loud_ms = 20 * sum(level > 100 for level in caller.loudness())
    assert loud_ms == pytest.approx(len("Sunny.") * 60, abs=60)


async def test_a_caller_who_speaks_up_hears_no_more(service):
    """The service cuts its own sound, and says so."""
    async with Caller() as caller:
        await caller.call(service[1])
        await caller.until("session.created")
        caller.send(type="response.create")
        await caller.until("response.done")
        caller.send(type="response.create")
        await caller.until("output_audio_buffer.started")
        caller.mic.say(synthetic_speech("stop it"))
        events = await caller.until("output_audio_buffer.cleared")
        assert "input_audio_buffer.speech_started" in types(events)
        caller.heard.clear()
        caller.mic.say(np.zeros(24_000, np.int16))
        await caller.until("input_audio_buffer.speech_stopped")
    assert max(caller.loudness()[10:]) < 100  # what was under way then may still come


async def test_hanging_up_ends_it_for_both(service):
    """By REST, once."""
    server, client = service
    async with Caller() as caller:
        call_id = await caller.call(client)
        await caller.until("session.created")
        await client.realtime.calls.hangup(call_id)
        await caller.over.wait()
        with pytest.raises(NotFoundError, match="No call was found"):
            await client.realtime.calls.hangup(call_id)
    assert server.service.calls == {}


async def test_a_sideband_beside_it(service):
    """It sees what the caller sees but for the beginning, and its connection ends when the caller leaves."""
    _, client = service
    async with Caller() as caller:
        call_id = await caller.call(client)
        await caller.until("session.created")
        async with client.realtime.connect(call_id=call_id) as sideband:
            await sideband.session.update(session=REALTIME | {"instructions": "Sing."})
            seen = await sideband.recv()
            [told] = await caller.until("session.updated")
            assert (seen.type, told["session"]["instructions"]) == ("session.updated", "Sing.")
            await caller.peer.close()
            assert [event.type async for event in sideband] == []


async def test_a_page_with_an_ephemeral_key():
    """It posts the offer alone; settings come with the key. Another origin may ask, and may read where the call is."""
    async with serve(lambda: ScriptedEngine([]), settings=Settings(api_keys=frozenset({"sk-own"}))) as server:
        async with AsyncOpenAI(api_key="sk-own", base_url=server.http_url) as client:
            secret = await client.realtime.client_secrets.create(session={"model": "gpt-realtime-mini", **REALTIME})
        url = f"{server.http_url}/realtime/calls"
        asked = {"Origin": "http://x", "Access-Control-Request-Method": "POST"}
        asked["Access-Control-Request-Headers"] = "authorization,content-type"
        async with httpx.AsyncClient() as page, Caller() as caller:
            allowed = await page.options(url, headers=asked)
            assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, "*")
            assert allowed.headers["access-control-allow-headers"] == "authorization,content-type"
            headers = {"Authorization": f"Bearer {secret.value}", "Content-Type": "application/sdp"}
            answer = await page.post(url, headers=headers, content=caller.offer)
            assert (answer.status_code, answer.headers["access-control-expose-headers"]) == (201, "Location")
            await caller.take(answer.text)
            [created] = await caller.until("session.created")
            wrong = await page.post(url, headers=headers | {"Authorization": "Bearer ek_no"}, content=caller.offer)
            assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
    assert (created["session"]["model"], created["session"]["instructions"]) == ("gpt-realtime-mini", "Be brief.")


async def test_it_is_reached_at_loopback_alone(service):
    """The answer names no other address."""
    async with Caller() as caller:
        await caller.call(service[1])
        await caller.until("session.created")
        answer = caller.peer.remoteDescription.sdp
    candidates = [each for each in answer.splitlines() if each.startswith("a=candidate")]
    assert candidates
    assert {each.split()[4] for each in candidates} == {"127.0.0.1"}


@pytest.mark.parametrize(
    "shown", ["", "a=candidate:1 1 udp 2113937151 1f2e3d4c-aaaa-bbbb-cccc-0123456789ab.local 50000 typ host\r\n"]
)
async def test_a_caller_that_hides_its_address(service, monkeypatch, shown):
    """Browsers put a name that only a neighbour knows, or post the offer before they know it. Their packets tell."""
    monkeypatch.setattr(mdns, "create_mdns_protocol", pytest.fail)
    async with Caller() as caller:
        lines = [each for each in caller.offer.splitlines(keepends=True) if not each.startswith("a=candidate")]
        caller.offer = "".join(lines).replace("a=ice-ufrag", shown + "a=ice-ufrag")
        await caller.call(service[1])
        await caller.until("session.created")


@pytest.mark.parametrize(
    ("content", "kind", "status", "said"),
    [
        (b"v=0\r\n", "application/sdp", 400, "The SDP offer could not be answered"),
        (b"\xff", "application/sdp", 400, "'sdp' is no UTF-8 text."),
        (b"{}", "application/json", 400, "Unsupported content type: 'application/json'"),
        (b"", "multipart/form-data; boundary=x", 400, "Missing required parameter: 'sdp'."),
    ],
)
async def test_what_is_no_offer_is_refused(service, content, kind, status, said):
    """With what is wrong with it."""
    async with httpx.AsyncClient() as client:
        headers = {"Authorization": "Bearer any", "Content-Type": kind}
        answer = await client.post(f"{service[0].http_url}/realtime/calls", headers=headers, content=content)
    assert (answer.status_code, said in answer.json()["error"]["message"]) == (status, True)


@pytest.mark.parametrize(
    ("session", "param"),
    [("{", "session"), ("[]", "session"), ("{}", "session.type"), ('{"type": "realtime", "x": 1}', "session.x")],
)
async def test_a_configuration_that_is_refused_is_refused_before_the_call(service, session, param):
    """Nothing is left of the call."""
    server, _ = service
    async with Caller() as caller, httpx.AsyncClient() as client:
        url, headers = f"{server.http_url}/realtime/calls", {"Authorization": "Bearer any"}
        answer = await client.post(
            url, headers=headers, files={"sdp": (None, caller.offer), "session": (None, session)}
        )
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert server.service.calls == {}


@given(st.binary(), st.sampled_from(["application/sdp", "multipart/form-data; boundary=x", "multipart/form-data", "é"]))
def test_a_body_is_read_or_refused(body, kind):
    """Whatever it is."""
    try:
        read_offer(HttpRequest("POST", "/", {"content-type": kind}, body))
    except Refusal:
        return


async def test_a_caller_that_says_too_much_at_once_is_hung_up_on(service, monkeypatch):
    """What waits is bounded."""
    monkeypatch.setattr(line, "_EVENTS_WAITING", 0)
    async with Caller() as caller:
        await caller.call(service[1])
        await caller.until("session.created")
        caller.send(type="response.create")
        await caller.over.wait()


async def test_a_caller_that_never_connects_is_given_up(monkeypatch):
    """After a while."""
    monkeypatch.setattr(line, "CONNECT_S", 0.05)
    async with serve(lambda: ScriptedEngine([])) as server, Caller() as caller:
        async with AsyncOpenAI(api_key="any", base_url=server.http_url) as client:
            await client.realtime.calls.create(sdp=caller.offer, session=REALTIME)
            [call] = server.service.calls.values()
            while server.service.calls:
                await asyncio.sleep(0)
    assert call.is_over


async def test_there_are_only_so_many(service, monkeypatch):
    """Each takes its share of the machine."""
    monkeypatch.setattr(calls, "_MOST", 0)
    async with Caller() as caller, httpx.AsyncClient() as client:
        headers = {"Authorization": "Bearer any", "Content-Type": "application/sdp"}
        answer = await client.post(f"{service[0].http_url}/realtime/calls", headers=headers, content=caller.offer)
    assert answer.status_code == 503


async def test_without_the_package_it_says_what_to_install(service, monkeypatch):
    """And the rest of the simulator goes on."""

    def missing(module, *, extra, needed_by):
        raise MissingExtraError(needed_by, module, extra)

    monkeypatch.setattr(calls, "require", missing)
    async with httpx.AsyncClient() as client:
        headers = {"Authorization": "Bearer any", "Content-Type": "application/sdp"}
        answer = await client.post(f"{service[0].http_url}/realtime/calls", headers=headers, content=b"v=0")
    assert (answer.status_code, "openai-realtime-api-utils[webrtc]" in answer.text) == (501, True)


async def test_a_model_that_is_not_there_takes_no_call():
    """Told as at a socket that is refused by HTTP."""
    async with (
        serve(lambda: ScriptedEngine([]), settings=Settings(models=frozenset({"gpt-realtime"}))) as server,
        Caller() as caller,
        AsyncOpenAI(api_key="any", base_url=server.http_url) as client,
    ):
        with pytest.raises(NotFoundError, match="The model 'gpt-9' does not exist"):
            await client.realtime.calls.create(sdp=caller.offer, session=REALTIME | {"model": "gpt-9"})
    assert server.service.calls == {}
