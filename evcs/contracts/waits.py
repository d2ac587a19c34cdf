"""Every wait of the system in one file, in seconds; a test proves their order."""

CAP_ANSWER_S = 5.0
"""0x51 after 0x52; then `cap_not_confirmed`."""
CARD_ANSWER_S = 10.0
"""`card_request` to 0x32."""
START_WRITTEN_S = 20.0
"""An admitted `G/start` until it is written to the pile; then `expired`."""
REQUEST_S = 30.0
"""A request to `rules`: its expiry."""
VERDICT_S = 35.0
"""The worker's wait for the verdict; then `refused`, `engine_away`."""
NOT_PLUGGED_S = 60.0
"""0x33 with reason 5 (not plugged) counts as refusal only after this."""
CHARGE_BEGINS_S = 90.0
"""0x34 until 0x33 and a charging 0x13; then timed out."""
UNSTARTED_SESSION_S = 120.0
"""`rules` ends a session this long after admission without a charging gun."""
START_DEADLINE_S = 120.0
"""`commanded` and `starting` together; then `start_failed`."""
STOP_ANSWER_S = 10.0
"""A stop unanswered: sent again under a new id."""
STOP_ALARM_S = 30.0
STOP_DEADLINE_S = 120.0
"""`stopping` without an end; then `exception`."""
RECORD_S = 30.0
"""An observed end without record; then `exception`."""
PROVISIONAL_S = 60.0
"""An observed end without record; then settled by marks."""
MARKS_S = 15.0
"""A record that only the marks can explain: until no mark has come for so long (`G/meter` and `G/record` are two
topics, and a broker gives again after 5 s what was not acknowledged); then it is reckoned with those that came."""
ASK_S = 3.0
QUEUE_S = 30 * 60.0
PILE_ANSWER_S = 10.0
"""A pile's answer to a setting, a card list, a lock; then the command timed out."""
UPDATE_ANSWER_S = 3600.0
"""0x93 comes after the attempt: the download's own time-out and this at most."""
LOST_LINK_S = 24 * 3600.0
"""A hold after a lost link; then provisional."""
REVIEW_S = 7 * 24 * 3600.0
LOGIN_S = 45.0
"""A connection that has not logged in is closed (real piles log in 10 s after connecting, try again after 30 s)."""
HEARTBEAT_S = 10.0
HEARTBEATS_LOST = 3
SILENT_LINK_S = HEARTBEAT_S * HEARTBEATS_LOST + 5.0
"""Three heartbeats and some jitter: then the link is lost."""
TELEMETRY_FRESH_S = 45.0
"""A charging gun's reading counts this long; then its cap or rating."""
METER_FRESH_S = 60.0
"""A transformer meter's reading counts this long; then band `unknown`."""
SERVICES_READY_S = 60.0
"""The bridge opens its port without having seen ingest, rules and worker only after this."""
LOOP_STALL_S = 10.0
"""A service whose loop stood still for longer counts as just started."""
REPEAT_S = 5.0
"""How often the sender of an unanswered command or request repeats it."""
MARK_EVERY_S = 300.0
"""A running session's meter mark at least this often."""
