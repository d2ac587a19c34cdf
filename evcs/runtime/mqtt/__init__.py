"""MQTT for the services: sessions that lose nothing, whatever becomes of the broker, the link or the process.

    settings: ServiceSettings (mqtt_host, mqtt_port, …), clock: Clock

    work = AsyncSession(settings, clock, client_id="rules-1-of-1", will=Will(topic, payload), window=1000)
    view = view_session(settings, clock, client_id="rules-1-of-1")      # clean, QoS 0, id with a random end
    work.subscribe("evcs/v1/+/station/+/pile/+/gun/+/event", 1, handler)  # static, before start, must not overlap
    work.on_connected(levels.publish_all)      # after every (re)connect with all subscriptions granted; sync or async
    work.on_disconnected(…); view.on_picture(…)
    await work.start()                         # waits for a broker; raises SubscriptionRefused / ConnectionRefused
    await view.picture()                       # all retained levels were handed over; incomplete after each reconnect
                                               # (a clean session looks again, picture.py: some may come later)

    handler(delivery)                          # sync and quick: topic, payload, qos, retained, connection
    delivery.ack()                             # when its effect is durable; void once its connection is gone; once

    done = work.publish(topic, payload, retain=False, droppable=False, qos=1)   # Future: ends at the PUBACK, over
                                               # however many connections (session kept or lost), in order
    await work.room()                          # back-pressure for what is not droppable; has_room() without waiting
    work.outgoing.dropped                      # droppable messages given up at the bound (oldest first)
    await work.leave(5.0)                      # cannot store: let go, come back later, get it all delivered again
    work.hold()                                # take nothing new; then finish, ack, and
    await work.stop()                          # publish the will as farewell, drain the window, disconnect
    work.health(); work.connected; work.connection (number); AsyncSession(on_taken_over=…)

    evcs.runtime.presence: Presence(clock, name, instance): AsyncSession(will=presence.will), announce(work) on connect
    and repeatedly(repeat) beside it;
    Attendance(["ingest", "rules"]): fed by the view, complete() before a bridge opens its port, and
    AsyncSession(gate=attendance.gate(view)): after a broker lost its store, send on only once the readers are back.

    SyncSession: the same for threads: take(most, timeout_s) -> list[Delivery], publish() -> concurrent Future,
    picture(timeout_s), room(timeout_s), subscribe(filter, qos, handler=None) (without a handler: for take).

    LevelKeeper(session): set(topic, version, payload), clear, publish_all, seen(topic, version) -> corrected an older
    Versions(clock): next(topic), seen(topic, version)       Newest(): is_newer(topic, version), begin(), gone()

A publish whose session is stopped before its PUBACK ends with ConnectionAbortedError. Messages may come twice (QoS 1)
and, after a broker's crash, behind newer ones: be idempotent, order by version.
"""

from evcs.runtime.mqtt.levels import LevelKeeper, Newest, Versions
from evcs.runtime.mqtt.messages import (
    ConnectionRefused,
    Delivery,
    Dropped,
    Handler,
    MqttError,
    SubscriptionRefused,
    TakenOver,
    Will,
)
from evcs.runtime.mqtt.sessions import AsyncSession, matches, view_session, work_session
from evcs.runtime.mqtt.sync_client import SyncSession

__all__ = [
    "AsyncSession",
    "ConnectionRefused",
    "Delivery",
    "Dropped",
    "Handler",
    "LevelKeeper",
    "MqttError",
    "Newest",
    "SubscriptionRefused",
    "SyncSession",
    "TakenOver",
    "Versions",
    "Will",
    "matches",
    "view_session",
    "work_session",
]
