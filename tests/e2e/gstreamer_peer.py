"""GStreamer's webrtcbin as a client: ``publish URL CODEC`` by WHIP, or ``watch URL`` by WHEP.

Run by the system's Python, which has GStreamer's bindings (python3-gi); it imports nothing of ours.
A watcher prints width, height and mean luma of each picture. webrtcbin's certificates are RSA.
"""

import importlib
import sys
import urllib.request
from typing import Any

gi: Any = importlib.import_module("gi")
for library in ("Gst", "GstWebRTC", "GstSdp"):
    gi.require_version(library, "1.0")
GLib: Any = importlib.import_module("gi.repository.GLib")
Gst: Any = importlib.import_module("gi.repository.Gst")
GstSdp: Any = importlib.import_module("gi.repository.GstSdp")
GstWebRTC: Any = importlib.import_module("gi.repository.GstWebRTC")

CAMERA = "videotestsrc is-live=true pattern=green ! video/x-raw,width=320,height=180,framerate=15/1"
ENCODERS = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=15 ! rtpvp8pay pt=96",
    "H264": (
        "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! "
        "video/x-h264,profile=constrained-baseline ! "
        "rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=96"
    ),
}
DECODER = (
    "queue ! rtpvp8depay ! vp8dec ! videoconvert ! video/x-raw,format=GRAY8 ! "
    "appsink name=seen emit-signals=true sync=false"
)


class GstreamerPeer:
    """One connection: it makes an offer with all its candidates, and posts it to ``url``."""

    def __init__(self, url: str, description: str) -> None:
        self._url = url
        self.pipeline = Gst.parse_launch(
            f"pipeline.( webrtcbin name=rtc bundle-policy=max-bundle {description} )"
        )
        self.rtc = self.pipeline.get_by_name("rtc")
        self.rtc.connect("on-negotiation-needed", self._offer)
        self.rtc.connect("notify::ice-gathering-state", self._gathered)
        self.rtc.connect("notify::connection-state", self._changed)

    def _offer(self, _: object) -> None:
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def _offered(self, promise: Any) -> None:
        # The offer is a part of the reply, and freed with it.
        reply = promise.get_reply()
        self.rtc.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def _gathered(self, *_: object) -> None:
        if self.rtc.props.ice_gathering_state == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self._post)

    def _post(self) -> None:
        description = self.rtc.props.local_description
        sdp = description.sdp.as_text()
        headers = {"Content-Type": "application/sdp"}
        request = urllib.request.Request(self._url, sdp.encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            _, message = GstSdp.SDPMessage.new_from_text(response.read().decode())
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        answer = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        self.rtc.emit("set-remote-description", answer, Gst.Promise.new())

    def _changed(self, *_: object) -> None:
        print("state", self.rtc.props.connection_state.value_nick, flush=True)


def publish(url: str, codec: str) -> GstreamerPeer:
    """Send a green picture."""
    caps = f"application/x-rtp,media=video,encoding-name={codec},payload=96"
    return GstreamerPeer(url, f"{CAMERA} ! {ENCODERS[codec]} ! {caps} ! rtc.")


def watch(url: str) -> GstreamerPeer:
    """Receive VP8."""
    peer = GstreamerPeer(url, "")
    caps = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"
    direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
    peer.rtc.emit("add-transceiver", direction, Gst.Caps.from_string(caps))

    def show(sink: Any) -> Any:
        sample = sink.emit("pull-sample")
        form = sample.get_caps().get_structure(0)
        found, mapped = sample.get_buffer().map(Gst.MapFlags.READ)
        if found:
            luma = sum(mapped.data[::97]) // len(mapped.data[::97])
            print("picture", form.get_value("width"), form.get_value("height"), luma, flush=True)
        return Gst.FlowReturn.OK

    def decode(_: object, pad: Any) -> None:
        decoder = Gst.parse_bin_from_description(DECODER, True)
        decoder.get_by_name("seen").connect("new-sample", show)
        peer.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    peer.rtc.connect("pad-added", decode)
    return peer


def main(verb: str, url: str, codec: str = "VP8") -> None:
    """Run until the process is ended."""
    Gst.init(None)
    peer = publish(url, codec) if verb == "publish" else watch(url)
    peer.pipeline.set_state(Gst.State.PLAYING)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
