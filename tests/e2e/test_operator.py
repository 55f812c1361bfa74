"""What an operator sees: the tool, its exit statuses, the metrics; and what a bad configuration is answered with."""
import json
import os
import shutil

import pytest
import yaml

from fedgate_lab.children import listens


async def test_check_finds_nothing_wrong_in_a_good_configuration(world):
    status, out, error = await world.gateway.run("check")
    assert status == 0, out + error


async def test_registration_is_what_a_homeserver_takes(world):
    status, out, error = await world.gateway.run("registration", "bund")
    assert status == 0, error
    registration = yaml.safe_load(out)
    assert registration["hs_token"] == world.gateway.tokens["bund"]["hs_token"]
    assert registration["as_token"] == world.gateway.tokens["bund"]["as_token"]
    assert registration["rate_limited"] is False
    assert registration["namespaces"]["users"][0]["exclusive"] is True
    status, _, error = await world.gateway.run("registration", "nosuch")
    assert status != 0 and "nosuch" in error


async def test_trace_tells_every_step_of_a_message(world):
    room = await world.direct_room("alice", "anna")
    event_id = await world.alice.send(room, "verfolge mich")
    stanza = await world.anna.wait_message(30, body="verfolge mich")
    await world.settled()
    for id in (event_id, stanza.id):
        traced = (await world.gateway.ask("trace", id))["messages"]
        assert len(traced) == 1, id
        steps = [step["step"] for step in traced[0]["steps"]]
        for wanted in ("accepted", "decided", "delivered"):
            assert wanted in steps, steps
        assert "verfolge mich" not in json.dumps(traced), "a trace holds no content"
    status, out, error = await world.gateway.run("trace", "no-such-id")
    assert status != 0 or "messages" in out or out.strip(), "an unknown id is answered"


async def test_trace_of_a_refused_message_names_rule_and_reason(world):
    room = await world.direct_room("alice", "redaktion")
    event_id = await world.alice.send(room, "auch das nicht")
    await world.alice.wait_status(event_id)
    traced = (await world.gateway.ask("trace", event_id))["messages"]
    assert any(step["step"] == "decided" and step.get("detail") for step in traced[0]["steps"]), traced


async def test_queue_is_empty_and_everything_is_attached(world):
    await world.settled()
    dead = (await world.gateway.ask("dead", "list", "--limit", "100000")).get("entries", [])  # other tests may have left some
    for network in ("bund", "bpol"):
        queue = await world.gateway.queue(network)
        assert queue["waiting"] == 0, queue
        assert queue["dead"] == len([entry for entry in dead if entry["network"] == network]), queue
        assert queue["attached"] and queue["up"], queue


async def test_metrics_add_up(world):
    room = await world.direct_room("alice", "anna")  # a core that was just started has no decision to count yet
    await world.alice.send(room, "für die Statistik")
    await world.anna.wait_message(30, body="für die Statistik")
    await world.settled()
    assert await world.gateway.metric("fedgate_conservation_difference") == 0
    assert await world.gateway.metric("fedgate_link_up", network="bund") == 1
    assert await world.gateway.metric("fedgate_link_up", network="bpol") == 1
    names = {name for name, _, _ in await world.gateway.metrics()}
    for wanted in ("fedgate_accepted_total", "fedgate_decisions_total", "fedgate_deliveries_total", "fedgate_lane_waiting", "fedgate_policy_info", "fedgate_build_info"):
        assert wanted in names, sorted(names)
    for name, labels, _ in await world.gateway.metrics():
        assert not any("@" in value for value in labels.values()), f"{name} carries an address: {labels}"


async def test_secrets_are_nowhere_in_the_log(world):
    log = world.gateway.child.log.read_text(errors="replace")
    for network, values in world.gateway.tokens.items():
        for name, value in values.items():
            assert value not in log, f"{network}.{name} stands in the log"


def _broken(world, folder, change=None, text=None):
    """A copy of the world's configuration with one thing wrong."""
    source = world.gateway.folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder, ignore=lambda where, names: [name for name in names if name.startswith(("data", "link.sock", "admin.sock", "fedgate."))])
    settings = json.loads(json.dumps(world.gateway.settings))
    if change:
        change(settings, folder)
    file = folder / "fedgate.json"
    file.write_text(text(json.dumps(settings, indent=2)) if text else json.dumps(settings, indent=2))
    file.chmod(0o600)
    return file


def _wrong_type(settings, folder):
    settings["limits"]["retry_s_max"] = "soon"


def _unknown_key(settings, folder):
    settings["networks"]["bund"]["matrix"]["homesever"] = "http://127.0.0.1:1"


def _open_secret(settings, folder):
    os.chmod(folder / "secrets" / "bund.as_token", 0o644)


def _missing_policy(settings, folder):
    settings["policy"] = "nowhere.json"


def _unknown_realm(settings, folder):
    settings["networks"]["bpol"]["realm"] = "atlantis"


def _same_namespace(settings, folder):
    settings["networks"]["bpol2"] = json.loads(json.dumps(settings["networks"]["bpol"]))


@pytest.mark.parametrize("change, words", [
    (_wrong_type, ["retry_s_max"]), (_unknown_key, ["homesever"]), (_open_secret, ["bund.as_token"]), (_missing_policy, ["nowhere.json"]),
    (_unknown_realm, ["atlantis"]), (_same_namespace, ["fedgate.polizei.example"]),
], ids=lambda value: value.__name__.strip("_") if callable(value) else "")
async def test_bad_configuration_ends_with_78_and_says_what_to_do(change, words, world):
    file = _broken(world, world.folder / "broken", change)
    for command in ("check", "up"):
        status, out, error = await world.gateway.run(command, file=file)
        assert status == 78, f"fedgate {command}: {status}\n{out}{error}"
        for word in words:
            assert word in out + error, out + error
        assert "fedgate.json" in out + error
    assert not (world.folder / "broken" / "data" / "fedgate.db").exists()


async def test_bad_json_ends_with_78_and_names_the_line(world):
    file = _broken(world, world.folder / "broken", text=lambda text: text.replace('"store": {', '"store": {,', 1))
    status, out, error = await world.gateway.run("up", file=file)
    assert status == 78, f"{status}\n{out}{error}"
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if "{," in text)
    assert f":{line}" in out + error, out + error


async def test_missing_configuration_ends_with_78(world):
    status, out, error = await world.gateway.run("up", file=world.folder / "nothing-here.json")
    assert status == 78 and "nothing-here.json" in out + error


async def test_up_ends_its_children_when_told(three):
    """SIGTERM: everything that it started is gone, and the ports are free."""
    world = three
    pids = [world.gateway.pid(program) for program in ("fedgate-core", "fedgate-matrix", "fedgate-xmpp")]
    assert all(pids)
    status = world.gateway.stop()
    try:
        assert status == 0, status
        assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
        assert not listens(world.gateway.metrics_port)
    finally:
        await world.gateway.start()
