"""Addresses of stores: which there are, and that nothing secret stands in them or in what is said of them."""

import pytest

from evcs.store.influx import InfluxStore
from evcs.store.influx_read import InfluxReader
from evcs.store.open import StoreAddressError, open_reader, open_store


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("influxdb+http://host:8086/?bucket=evcs/raw&org=acme", "token"),
        ("influxdb+https://host/prefix?bucket=evcs%2Fraw&org=a%20b", None),
        ("influxdb+http://[::1]:8086/?bucket=evcs/raw&org=acme", "token"),
        ("influxdb1+http://host:8086/evcs/raw", None),
        ("influxdb1+https://user@host/evcs/raw?retention=inf", "password"),
        ("influxdb1+http://user@host/evcs/rollup_1m?retention=104w", "password"),
    ],
)
def test_an_influxdb_by_its_address_opens_nothing_yet(url: str, secret: str | None) -> None:
    store = open_store(url, secret)
    reader = open_reader(url, secret)
    assert isinstance(store, InfluxStore)
    assert isinstance(reader, InfluxReader)
    assert not isinstance(reader, InfluxStore)
    store.close()
    reader.close()


@pytest.mark.parametrize(
    ("url", "secret", "why"),
    [
        ("influxdb://host/?bucket=evcs/raw", None, r"influxdb\+http or"),
        ("influxdb+ftp://host/?bucket=evcs/raw", None, r"influxdb\+http or"),
        ("influxdb+http:///?bucket=evcs/raw", None, "host is missing"),
        ("influxdb+http://host:99999/?bucket=evcs/raw", None, "port"),
        ("influxdb+http://host/?bucket=evcs", None, "evcs/raw"),
        ("influxdb+http://host/", None, "evcs/raw"),
        ("influxdb+http://host/?bucket=evcs/raw&token=hush", None, "knows bucket, org, not token"),
        ("influxdb+http://hush@host/?bucket=evcs/raw", None, "EVCS_STORE_SECRET"),
        ("influxdb1+http://user:hush@host/evcs/raw", None, "EVCS_STORE_SECRET"),
        ("influxdb1+http://host/evcs/raw", "hush", "needs a user"),
        ("influxdb1+http://host/evcs", None, "evcs/raw"),
        ("influxdb1+http://host/evcs/raw/more", None, "evcs/raw"),
        ('influxdb1+http://host/ev"cs/raw', None, "evcs/raw"),
        ("influxdb1+http://host/evcs/raw?retention=0d", None, "retention is"),
        ("influxdb1+http://host/evcs/raw?retention=soon", None, "retention is"),
        ("postgresql://host/evcs", None, "no telemetry store has the scheme"),
    ],
)
def test_an_address_that_names_none_says_what_would(url: str, secret: str | None, why: str) -> None:
    for opens in (open_store, open_reader):
        with pytest.raises(StoreAddressError, match=why) as caught:
            opens(url, secret)
        assert "hush" not in str(caught.value)
