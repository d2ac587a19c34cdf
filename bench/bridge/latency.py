"""The way of a reading from the pile's socket through bridge and Mosquitto to a subscriber, at steady rates."""

import subprocess
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.bridge.processes import Process, await_port, bridge_env
from bench.bridge.town import retained
from evcs.contracts.topics import TELEMETRY
from evcs.setup.servers import find_mosquitto
from tests.servers import free_port

RATES = (1_000, 5_000, 10_000)
ENERGY = b'"energy_kwh":'


class Listener:
    """A subscriber that notes how old each reading is when it comes, ms."""

    def __init__(self, port: int) -> None:
        self.ages_ms: list[float] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._came
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(TELEMETRY.everywhere, qos=0)
        self._client.loop_start()

    def _came(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        # Read by hand: a whole decoding of each payload would measure this subscriber.
        at = message.payload.find(ENERGY) + len(ENERGY)
        end = message.payload.find(b",", at)
        sent = round(float(message.payload[at:end]) * 10_000)
        self.ages_ms.append((int(time.time() * 1000) & 0x7FFFFFFF) - sent)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def publish_configuration(port: int, piles: int) -> None:
    """What the worker would have said."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    ready = threading.Event()
    client.on_connect = lambda *_: ready.set()
    client.max_inflight_messages_set(1_000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    ready.wait(10)
    for told in [client.publish(topic, payload, qos=1, retain=True) for topic, payload in retained(piles)]:
        told.wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def through_mosquitto(var: Path, piles: int, seconds: float) -> str:
    """p50 and p99 at some rates, as markdown."""
    program = find_mosquitto()
    if program is None:
        return "No Mosquitto on this machine: the way through it was not measured."
    port, pile_port = free_port(), free_port()
    conf = var / "mosquitto.conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 5000\nmax_queued_messages 100000\n"
    )
    out = [
        f"Through Mosquitto, {piles:,} piles, one subscriber at QoS 0:",
        "",
        "| frames/s offered | arrived/s | p50 ms | p99 ms | bridge CPU µs a frame |",
        "| --- | --- | --- | --- | --- |",
    ]
    mosquitto = subprocess.Popen([str(program), "-c", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_port(port)
        publish_configuration(port, piles)
        with ExitStack() as stack:
            side = stack.enter_context(Process("bridge", env=bridge_env(port, pile_port, str(var))))
            await_port(pile_port)
            load = stack.enter_context(Process("bench.bridge.load", str(pile_port), str(piles)))
            load.line()
            for rate in RATES:
                listener = Listener(port)
                try:
                    cpu_s = side.cpu_s()
                    load.ask(f"{rate} {seconds} timed")
                    time.sleep(1.0)
                    ages = sorted(listener.ages_ms)
                    out.append(
                        f"| {rate:,} | {len(ages) / seconds:,.0f} | {ages[len(ages) // 2]:.0f} "
                        f"| {ages[len(ages) * 99 // 100]:.0f} | {(side.cpu_s() - cpu_s) / len(ages) * 1e6:.1f} |"
                    )
                finally:
                    listener.close()
    finally:
        mosquitto.terminate()
        mosquitto.wait()
    return "\n".join(out)
