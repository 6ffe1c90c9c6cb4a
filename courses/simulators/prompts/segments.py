"""Cut a prompt into clauses that keep what they are.

A clause knows its line, the headings, lead-ins, column heads and questions it stands under, and
its force: a rule, a worked example, what a customer is quoted as saying, a bad example, a word to
the grader, a list of keywords. Only rules and worked examples can become rule cards.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal

from courses.simulators.prompts.words import MARK, NUMBER, WORD, Token, word_set

Force = Literal["rule", "weak", "example", "given", "question", "inert", "label"]


@dataclass(slots=True)
class Unit:
    """One sentence (or cell, or line of pseudo-code) in its place."""

    text: str
    line: int
    force: Force = "rule"
    why: str = ""
    context: str = ""  # headings, lead-ins, labels, column heads; outermost first
    question: str = ""  # the question of a decision tree above this branch
    branch: Literal["", "yes", "no"] = ""
    forbidding: bool = False  # stands under "Never:" or in a column of don'ts
    block: int = 0
    first_in_line: bool = True
    code: bool = False
    tokens: list[Token] = field(default_factory=list)
    around: list[Token] = field(default_factory=list)
    previous: Unit | None = None
    following: Unit | None = None
    # What is found in the tokens and in the context, filled by the matcher.
    found: dict[str, list[Mention]] = field(default_factory=dict)
    found_around: dict[str, list[Mention]] = field(default_factory=dict)


@dataclass(slots=True)
class Mention:
    """Where a concept stands in a unit's tokens."""

    start: int
    end: int
    own_negation: bool = False


_QUOTES = str.maketrans(
    {
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "’": "'",
        "‘": "'",
        "‚": "'",
        " ": " ",
        "…": "...",
        "\t": "    ",
    }
)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_TAKEN_BACK = re.compile(
    r"^\W*(?:no|nope|wrong|nonsense|false|hm+|never|not (?:so|true|any ?more|anymore|here)|forget it"
    r"|rubbish|out)\b\W*",
    re.IGNORECASE,
)
_KEYWORD_LABEL = re.compile(
    r"^\W*(?:key ?words?|tags?|topics?|catchwords?|hashtags?)\W*:", re.IGNORECASE
)
_BULLET = re.compile(
    r"^\s*(?:[-*•·–—+▪►☐☑✅✔❌✗]+|\(?\d{1,3}[.):]+(?:\d+[.)]?)?|\[\d{1,3}\]|\(?[a-zA-Z][.)]"
    r"|§+\s*\d+[.:]?"
    r"|(?:[Ss]tep|[Rr]ule|STEP|RULE|Art\.|Article)\s*\d+\s*[.:)-]*|->|=>|→|[ivx]{1,4}[.)])\s+"
)
_HEADING = re.compile(r"^\s*(#{1,6})\s+(.*?)\s*#*$")
_TAG = re.compile(r"</?\s*([A-Za-z_][\w-]*)((?:\s+[\w-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(/?)>")
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*$")
_CODE_LINE = re.compile(
    r"^\s*(?:(?:if|elif|else|for|while|def|return|try|except|when|then|unless|case|repeat|end|endif"
    r"|IF|ELSE|ELIF|ELSEIF|FOR|WHILE|WHEN|THEN|UNLESS|CASE|RETURN|REPEAT|END|ENDIF|ON|DO)\b.*"
    r"(?:[:(){}=]|->|=>|\bTHEN\b).*|\w+(?:\.\w+)*\s*(?::=|=)\s*.*|[\w.]+\(.*\).*|[{}\]]+;?"
    r"|(?:else|ELSE|try|TRY)\s*[:{]?)\s*$"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|no|nr|approx|incl|excl|mr|mrs|ms|dr|inc|ltd|art|sec|max"
    r"|min|resp|viz|cf"
    r"|a\.m|p\.m|u\.s|st|fig|para|abbr)|\b[A-Za-z])\.$",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"^\s*(?:[*_\"]*)(customer|client|shopper|user|mail|e-?mail|message|incoming|vendor"
    r"|supplier|invoice"
    r"|input|in|request|case|situation|question|q|buyer|example|they write|customer writes"
    r"|mail from [\w .]+"
    r"|agent|you|out|assistant|bot|answer|reply|response|output|decision|action|a|final "
    r"answer|log|your reply"
    r"|your answer|you reply|you answer|you write|tool|result|final|good|right|correct|do|ai)"
    r"(?:\s*\(?#?[\d.]{0,4}\)?)?\s*[*_\"]*\s*(?::|->|=>|(?<=\d)\.)\s*(?=[\"'A-Z(\[{*_]|\S)",
    re.IGNORECASE,
)
_GIVEN = word_set(
    "customer client shopper user mail email e-mail message incoming vendor supplier "
    "invoice input in request"
    " case situation question q buyer example"
)
_SPOKEN = frozenset(
    [
        "agent",
        "you",
        "assistant",
        "bot",
        "answer",
        "reply",
        "response",
        "output",
        "a",
        "ai",
        "your reply",
        "your answer",
        "you reply",
        "you answer",
        "you write",
        "good",
        "right",
        "correct",
    ]
)
_BAD = re.compile(
    r"\b(?:bad|wrong|poor|terrible|incorrect|negative|awful|failed|forbidden)\b[\w\s-]{0,20}"
    r"(?:example|answer|reply|log|output|case|sample|response|prompt|run|version|practice)?s?\s*"
    r"(?:\([^)]*\))?\s*(?::|=>|->)|^\s*(?:❌|✗|✘)|\bhow not to\b|\bnot like (?:this|that"
    r"|so)\s*:|\bdon'?t do"
    r" (?:this|that|it like this)\s*:|\b(?:anti-?pattern|counter-?example)s?\b|\bwhat "
    r"(?:went wrong|not to"
    r" (?:do|write))\b",
    re.IGNORECASE,
)
_SPEAKER = (
    r"(?:colleagues?|boss|manager|auditors?|lawyers?|consultants?|vendors?|suppliers?"
    r"|customers?|clients?"
    r"|shoppers?|competitors?|brochure|newspaper|journal|article|blog|handbook|manual"
    r"|predecessor|intern"
    r"|friends?|neighbou?rs?|owner|marta|devin|ceo|cfo|founder|bank|salesm[ae]n"
    r"|some(?:one|body)|people|they"
    r"|he|she|others?|trainee|agency|forum|website|book|poster|sign|slogan|memo|mail"
    r"|letter|review(?:er)?s?"
    r"|brother-in-law|team|shop|company|firm|magazine|textbook|seminar|trainer|support team|agent)"
)
_ATTRIBUTED = re.compile(
    r"^\s*(?:[-*•]\s*)?(?:(?:an?|the|our|my|your|some|one|another|that|this|as|old|former"
    r"|in the|every)\s+)*"
    r"(?:\w+\s+){0,3}?" + _SPEAKER + r"(?:'s)?\b[^.:;\"]{0,40}"
    r"(?::|\b(?:said|says|say|wrote|writes|write|claims?|claimed|suggests?|suggested"
    r"|believes?|thinks?|thought"
    r"|told (?:me|us)|argues?|argued|wondered|complain\w*|proposed?|likes? to say"
    r"|once)\b[:,]?)\s*[\"']",
    re.IGNORECASE,
)
# "Dario said: ..." whoever Dario is; what the agent itself said is not meant.
_REPORTED = re.compile(
    r"^\s*(?:[-*•]\s*)?(?!you\b|if\b|when\b|once\b|after\b|have\b)(?:[\w.'-]+\s+){1,3}?"
    r"(?:once |always |has |had |just )?(?:said|wrote|told (?:me|us))\b[^\"]{0,30}?[:,]?\s*[\"']",
    re.IGNORECASE,
)
_HEARSAY = re.compile(
    r"\b(?:used to (?!verify|check|pay|identify|decide|call|make)|no longer (?:appl|valid"
    r"|in force|true|hold)\w*"
    r"|(?:was|were|has been|have been) (?:withdrawn|abolished|dropped|repealed|retired"
    r"|scrapped|replaced|revoked)"
    r"|(?:the|an|our) (?:old|previous|former|earlier|outdated|obsolete|retired|last year's)"
    r" (?:hand-?book|polic\w+|rules?|version|prompt|manual|guidelines?|agent|system|bot"
    r"|process|instructions?)"
    r"|(?:my|our|your|his|the) predecessor|competitors?\b|(?:last|old|former|previous) "
    r"(?:consultant|manager|boss|owner|team|agency)|wanted (?:you|us|it) to"
    r"|(?:nephew|niece|uncle|aunt|cousin|wife|husband|brother|sister|mother|father|son"
    r"|daughter)s? (?:\w+ )?(?:thinks?|says?|said|believes?|wants?)"
    r"|other (?:shops|companies|firms|stores|agents|teams)"
    r"|some (?:companies|shops|people|agents|firms|teams|colleagues|stores) (?:\w+ "
    r")?(?:say|do|think|believe|ask|pay"
    r"|refund|use|let|answer|write|give|want|prefer|even|would|make|put|allow|don't|do not)"
    r"|(?:colleague|boss|manager|team|owner|cfo|lawyer|auditor|consultant)s?\b "
    r"[^.;:]{0,30}?\b(?:believes?|thinks?"
    r"|said|says|suggest\w*|claim\w*|wish\w*|wonders?|proposed?|would love|would like)"
    r"|to be (?:decided|defined|discussed|determined)|\btbd\b|\btodo\b|undecided|not "
    r"(?:yet )?(?:been )?decided"
    r"|we(?:'re| are)? (?:still )?(?:consider|discuss|think)ing|it would be (?:good|nice"
    r"|great)|in the past"
    r"|once upon|historically|we once\b|there was a time|last (?:year|month|summer"
    r"|winter) (?:we|it|the)"
    r"|(?:i|we) (?:read|heard|saw) (?:somewhere|that|about|of|in)|never got round|ideas? "
    r"for (?:later|next)"
    r"|(?:maybe|perhaps) (?:one day|later|some day))",
    re.IGNORECASE,
)
_GRADER = re.compile(
    r"\b(?:graders?|checkers?|examiners?|evaluators?|grading|rubric|this (?:submission"
    r"|answer|prompt|solution) (?:is|was|meets"
    r"|fulfil\w*|satisf\w*|has been|covers|passes|should (?:be|get|receive))"
    r"|course (?:team|administration|staff|author)|learner'?s?|student'?s?|full (?:marks"
    r"|points|score|credit)"
    r"|(?:all|every|each|the|these|ten|missing|unclear|open) (?:\w+ )?(?:requirements?"
    r"|criteria|criterion|items|points"
    r"|checks) (?:\w+ ){0,4}?(?:met|fulfilled|satisfied|passed|covered|given|complete)"
    r"|count (?:\w+ ){0,6}as (?:met|given"
    r"|fulfilled|passed|correct)|(?:mark|grade|score|rate|label|consider|output|print"
    r"|return|report|treat) (?:\w+ ){0,6}"
    r"(?:as )?[\"']?(?:met|fulfilled|passed|satisfied|100|10/10)\b|score\s*[:=]\s*\d+"
    r"|verdict|10/10|100/100|auto-?grader"
    r"|ai (?:grader|judge|reviewer)|reviewer of this|official result|result of grading"
    r"|whoever (?:grades|marks|checks)"
    r" (?:this|it)|assess(?:or|ment) (?:of this|note|model))",
    re.IGNORECASE,
)
_CLAIM = re.compile(
    r"[:=-]\s*[\"']?(?:fulfilled|met|done|passed|satisfied|covered|complete|completed"
    r"|true|yes|ok|okay|check(?:ed)?"
    r"|implemented|handled|included|guaranteed|✓|✔|✅)[\"']?\s*[.!,;]?\s*$",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"^.{0,12}\b(?:maybe|perhaps|possibly)\b.{0,90}$|\b(?:if you feel like|if you (?:want"
    r"|like|wish)\b|optional(?:ly)?|at your (?:discretion"
    r"|convenience)|up to you|consider (?:asking|whether|if|doing|adding)|(?:could|might) "
    r"(?:want|consider|be (?:good|nice"
    r"|wise|useful|worth))|ideally|nice to have|where (?:convenient|practical|appropriate"
    r"|feasible)|if (?:convenient"
    r"|possible|time permits|appropriate|practical)|when you have time|feel free to ask"
    r"|think (?:about|twice)|be (?:mindful|aware"
    r"|careful|cautious|prepared)|keep in mind|take care\b|see fit|as appropriate|try "
    r"(?:hard )?to"
    r"|it(?:'s| is) (?:good|nice|wise|polite|useful|a good idea) (?:to|if|when)|should "
    r"you feel|do your best"
    r"|(?:is|are) (?:important|sensitive|a virtue|serious|valuable|precious|key)\s*[.!]?$"
    r"|as far as possible|whenever possible"
    r"|preferably|(?:appropriately|adequately|properly|responsibly)\s*[.!]?$|where "
    r"(?:relevant|needed)|hopefully|sometimes you|in general try|(?:you )?may (?:also "
    r")?ask (?!you)"
    r"|where possible|unless it is inconvenient|aware of|with (?:care|caution|respect"
    r"|sensitivity)\s*[.!]?$)",
    re.IGNORECASE,
)
_FORBIDDING_INTRO = re.compile(
    r"\b(?:never|do not|don'?t|don'?ts|must not|may not|shall not|not allowed|forbidden"
    r"|prohibited|avoid|refrain|no-?gos?"
    r"|taboos?|off.?limits|out of bounds|not to do|mustn'?t|banned)\b",
    re.IGNORECASE,
)
_FUNCTION_WORDS = word_set(
    "is are be must may shall should will can do does if when unless you it they we that "
    "which who to"
    " the a an not never before until by with for from at this then always only"
)
_VERB_HINT = word_set(
    "is are be must may shall should will can do does if when unless you it they we not "
    "never before until"
    " always go goes get gets use ask"
)


def normalise(prompt: str) -> str:
    """Plain quotes, plain spaces, no invisible characters; lines stay where they are."""
    text = unicodedata.normalize("NFC", prompt).replace("\r\n", "\n").replace("\r", "\n")
    text = _INVISIBLE.sub("", text.translate(_QUOTES))
    text = re.sub(r"[\u2500-\u257f]", " ", text)  # the lines of a drawn tree
    text = re.sub(r"\bsum1\b", "someone", text, flags=re.IGNORECASE)
    text = re.sub(r"\bb4\b", "before", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(order|card|phone)number", r"\1 number", text, flags=re.IGNORECASE)
    text = "\n".join(map(_without_stops, text.split("\n")))
    # A sample of the answer written over several lines is one sample.
    text = re.sub(
        r"\{[ ]*\n(?:[ ]*[\"']?\w+[\"']?[ ]*:[^\n{}]*\n){1,8}[ ]*\}",
        lambda match: match.group().replace("\n", " ") + "\n" * match.group().count("\n"),
        text,
    )
    # What is struck out is no rule.
    text = re.sub(r"~~(?=\S)[^\n~]{1,2000}?~~|<(del|s|strike)>[^\n]{0,2000}?</\1>", " ", text)
    # Hidden text is no rule. The line breaks inside stay, so that line numbers hold.
    return re.sub(
        r"<!--.*?(?:-->|\Z)", lambda match: "\n" * match.group().count("\n"), text, flags=re.DOTALL
    )


def _without_stops(line: str) -> str:
    """A telegram's STOP is a full stop."""
    row = line.rstrip()
    if " STOP" not in row or row != row.upper():
        return line
    if row.count(" STOP") < 2 and not row.endswith(" STOP"):
        return line
    return re.sub(r" STOP\b", ".", row)


def split_sentences(text: str) -> list[str]:
    """Sentences of one paragraph; abbreviations and decimals do not end one."""
    out: list[str] = []
    start = 0
    depth_quote = False
    for i, char in enumerate(text):
        if char == '"':
            depth_quote = not depth_quote
        if char not in ".!?" or i + 1 >= len(text):
            continue
        rest = text[i + 1 :]
        closing = re.match(r"[\"')\]*_]*\s+", rest)
        if closing is None:
            continue
        if depth_quote and not rest.startswith('"'):
            continue
        if char == "." and _ABBREVIATION.search(text[max(start, i - 12) : i + 1].rstrip()):
            continue
        after = rest[closing.end() :]
        if not after:
            continue
        if text[i - 1 : i] == "." and after[:1].islower():  # an ellipsis goes on
            continue
        end = i + 1 + len(closing.group().rstrip())
        out.append(text[start:end].strip())
        start = end
        depth_quote = False
    tail = text[start:].strip()
    if tail:
        out.append(tail)
    return [piece for piece in out if re.search(r"\w", piece)]


@dataclass(slots=True)
class _Open:
    """A lead-in, a condition or a question that still governs the lines below it."""

    indent: int
    text: str
    kind: Literal["intro", "condition", "question", "branch"]
    line: int
    forbidding: bool = False
    inert: bool = False
    branch: Literal["", "yes", "no"] = ""


@dataclass(slots=True)
class _Line:
    number: int
    text: str
    indent: int
    bullet: bool


def _joined_lines(text: str) -> Iterator[_Line]:
    """Lines with hard-wrapped paragraphs put together again."""
    pending: _Line | None = None
    fenced = False
    # A paragraph was wrapped by hand when its lines end near one right margin.
    widest = max((len(raw) for raw in text.split("\n")), default=0)
    rows = text.split("\n")
    inner = [row for row, below in pairwise(rows) if row.strip() and below.strip()]
    full = sum(len(row) >= 0.8 * widest for row in inner)
    wrapped = 55 <= widest <= 120 and full >= 0.6 * len(inner)
    width = 0
    for number, raw in enumerate(text.split("\n"), start=1):
        if raw.strip().startswith("```"):
            fenced = not fenced
            if pending:
                yield pending
                pending = None
            continue
        stripped = raw.strip()
        last_width, width = width, len(raw)
        indent = len(raw) - len(raw.lstrip())
        bullet = _BULLET.match(raw) is not None
        special = (
            not stripped
            or bullet
            or fenced
            or stripped.startswith(("#", "|", "<", ">", "//", "{", "}"))
            or _CODE_LINE.match(raw) is not None
        )
        if (
            pending is not None
            and not special
            and re.search(r"[a-z0-9,)\"']$", pending.text)
            and re.match(r"[a-z(]", stripped)
            and wrapped
            and last_width >= 0.8 * widest
            and not re.search(r"->|=>", stripped)
            and _CODE_LINE.match(pending.text) is None
        ):
            pending.text += " " + stripped
            continue
        if pending:
            yield pending
            pending = None
        if special:
            yield _Line(number, raw, indent, bullet)
            if bullet and not fenced:
                pending = None
        else:
            pending = _Line(number, raw, indent, bullet)
    if pending:
        yield pending


@dataclass
class _Cutter:
    units: list[Unit] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    opened: list[_Open] = field(default_factory=list)
    columns: list[str] | None = None
    block: int = 0
    inert_until_blank: str = ""
    quoting: bool = False
    closed_tags: frozenset[str] = frozenset()
    arrow_source: str = ""
    tag_condition: str = ""
    given: str = ""  # "Given ..." or "When ..." of a scenario, waiting for its "Then"

    def cut(self, text: str) -> list[Unit]:
        self.closed_tags = frozenset(re.findall(r"</\s*([A-Za-z_][\w-]*)", text))
        for line in _joined_lines(text):
            self._line(line)
        previous: Unit | None = None
        for unit in self.units:
            unit.previous = previous
            if previous is not None:
                previous.following = unit
            previous = unit
        return self.units

    def _line(self, line: _Line) -> None:
        raw, stripped = line.text, line.text.strip()
        if not stripped:
            self.block += 1
            self.columns = None
            self.inert_until_blank = ""
            self.given = ""
            self.quoting = False
            self.opened = [one for one in self.opened if one.kind == "intro" and one.indent >= 0]
            for one in self.opened:
                one.indent = min(one.indent, one.indent)
            self._after_blank = True
            return
        if re.match(r"^\s*([-=*_~#])\1{2,}\s*$", stripped):
            self.block += 1
            return
        section = re.fullmatch(r"\s*\[+([A-Za-z][\w .-]{1,40})\]+\s*", raw)
        if section:  # "[privacy]" in a settings file
            raw = "## " + re.sub(r"[_.-]", " ", section.group(1))
        heading = _HEADING.match(raw)
        if heading and not re.match(r"^\s*#\s+[a-z].*\b(?:is|are|not|never|no)\b", raw):
            level = len(heading.group(1))
            self.headings = [one for one in self.headings if one[0] < level]
            title = heading.group(2).strip("*_ :")
            self.headings.append((level, title))
            self.opened.clear()
            self.block += 1
            self.units.append(Unit(title, line.number, "label", "a heading", block=self.block))
            return
        if stripped.count("|") >= 2 and (stripped.startswith("|") or self.columns is not None):
            self._row(line)
            return
        # "> 100 dollars" and ">= 5,000" compare; they quote nobody.
        if re.match(r">(?!=|\s*[$€£]?\d)", stripped):
            stripped = stripped.lstrip("> ").strip()
            # A sample of the answer is often set off like a quotation.
            self._sentences(stripped, line, quoted="{" not in stripped)
            return
        stripped = self._strip_tags(stripped)
        if not re.search(r"\w", stripped):
            return
        self._plain(line, stripped)

    def _strip_tags(self, text: str) -> str:
        """Take XML tags out; a tag around the rest of the line is a label for it."""
        rule = re.match(
            r"^<\s*([A-Za-z_][\w-]*)[^<>]*?\b(?:if|when|case|condition|on|trigger"
            r"|situation)\s*=\s*[\"']([^\"']+)[\"'][^<>]*>"
            r"(.+)</\s*\1\s*>$",
            text,
        )
        if rule:
            self.tag_condition = rule.group(2)
            return rule.group(3).strip()
        inline = re.match(r"^<\s*([A-Za-z_][\w-]*)[^<>]*>(.+)</\s*\1\s*>$", text)
        if inline and "<" not in inline.group(2).replace("<=", "").replace("< ", ""):
            return inline.group(1).replace("_", " ").replace("-", " ") + " :: " + inline.group(2)
        out = text
        for match in _TAG.finditer(text):
            name = match.group(1).replace("_", " ").replace("-", " ")
            whole = match.group()
            if match.group(1) not in self.closed_tags and not match.group(3):
                continue  # "<number>" in a sample of the answer is no tag
            if whole.startswith("</"):
                if name in self.tags:
                    while self.tags and self.tags.pop() != name:
                        pass
                    self.opened.clear()
                    self.block += 1
            elif not match.group(3) and f"</{match.group(1)}>" not in text:
                self.tags.append(name)
                self.opened.clear()
                self.block += 1
            out = out.replace(
                whole, " " if whole.startswith("</") or match.group(3) else f" {name} :: "
            )
        out = out.strip()
        # An opening tag alone leaves only its label.
        return "" if re.fullmatch(r"(?:[\w -]+ ::\s*)+", out) else re.sub(r"^::\s*", "", out)

    def _row(self, line: _Line) -> None:
        if _TABLE_RULE.match(line.text):
            return
        cells = [cell.strip(" *_`") for cell in line.text.strip().strip("|").split("|")]
        if self.columns is None:
            self.columns = cells
            self.units.append(
                Unit(" | ".join(cells), line.number, "label", "column heads", block=self.block)
            )
            return
        heads = self.columns + [""] * len(cells)
        labels = [
            cell
            for index, cell in enumerate(cells[:-1])
            if index == 0
            or re.search(
                r"\b(?:if|when|case|situation|topic|condition|trigger)\b", heads[index], re.I
            )
        ]
        if len(cells) >= 2 and re.fullmatch(r"[\d.)#]*", cells[0]):
            labels = cells[1:2] if len(cells) > 2 else []
        made = 0
        for index, cell in enumerate(cells):
            if not re.search(r"\w", cell) or (cell in labels and index < 2 and len(cells) > 1):
                continue
            head = heads[index]
            context = " . ".join([*self._above(), *[label for label in labels if label != cell]])
            forbidding = bool(_FORBIDDING_INTRO.search(head)) and len(head.split()) <= 5
            for sentence in split_sentences(cell):
                unit = Unit(
                    sentence,
                    line.number,
                    context=context,
                    forbidding=forbidding,
                    block=self.block,
                    first_in_line=made == 0,
                )
                # In a table the row's first cell is the condition of the others.
                unit.question = ". ".join(labels)
                if _BAD.search(head + ":") or re.search(
                    r"\b(?:example|old|was|before|today)\b", head, re.I
                ):
                    unit.force, unit.why = "inert", "an example column"
                self.units.append(unit)
                made += 1

    def _above(self) -> list[str]:
        above = [title for _, title in self.headings[-2:]]
        above += self.tags[-2:]
        above += [one.text for one in self.opened if one.kind == "intro"]
        return above

    def _plain(self, line: _Line, stripped: str) -> None:
        bullet = _BULLET.match(line.text)
        indent = line.indent
        content = stripped
        if bullet and not stripped.startswith(("->", "=>")):
            inner = _BULLET.match(stripped)
            if inner:
                content = stripped[inner.end() :]
        content = re.sub(r"^\[[ xX]?\]\s*", "", content.strip())
        switch = re.fullmatch(
            r"[\"']?([A-Za-z][\w -]{2,60}?)[\"']?\s*[:=]\s*[\"']?(?:false|no|never|off"
            r"|forbidden)[\"']?\s*[,;.]?",
            content,
            re.IGNORECASE,
        )
        if switch:  # "guess = false", "card_number_in_reply: never"
            content = "never " + switch.group(1).replace("_", " ")
        entry = re.match(r"^[\"']([^\"']{2,70})[\"']\s*:\s*[\"'](.+?)[\"']\s*,?$", content)
        if entry and (" " in entry.group(1) or " " in entry.group(2)):
            self.tag_condition, content = entry.groups()  # an entry of a table in code
        after_blank = getattr(self, "_after_blank", False)
        self._after_blank = False
        # Lead-ins end where a paragraph of the same or a lesser indent begins.
        kept: list[_Open] = []
        for one in self.opened:
            if one.kind == "intro":
                if (
                    indent > one.indent
                    or (bullet and indent >= one.indent)
                    or (one.inert and not after_blank and indent >= one.indent)
                ) or (not after_blank and line.number == one.line + 1):
                    kept.append(one)
            elif (
                indent > one.indent
                or (
                    one.kind == "question"
                    and indent == one.indent
                    and re.match(
                        r"(?:[-*•]\s*)?(?:->|=>|yes|no|y|n|otherwise|else)\b", stripped, re.I
                    )
                )
                or (one.kind == "question" and stripped.startswith(("->", "=>")))
            ):
                kept.append(one)
        self.opened = kept
        code = _CODE_LINE.match(stripped) is not None and (
            re.search(r"[(){}=_\[\]]|\b[A-Z]{2,}\b", stripped) is not None
        )
        comment = ""
        if code:
            cut = re.search(r"\s(?://|#)\s*(.+)$", content)
            if cut:
                comment = cut.group(1)
                content = content[: cut.start()].strip()
        elif re.match(r"^(?://|#)\s*\S", content):
            content = re.sub(r"^(?://|#)\s*", "", content)
        # "Mail without a number" / "-> ask for it": the arrow carries on the line above.
        arrow_after: _Open | None = None
        if stripped.startswith(("->", "=>")) and not any(
            one.kind == "question" for one in self.opened
        ):
            above = self.units[-1] if self.units else None
            if above is not None and above.line >= line.number - 2 and above.block == self.block:
                first = next(one for one in self.units if one.line == above.line)
                source = (
                    self.arrow_source
                    if first.question and first.text != self.arrow_source
                    else first.text
                )
                self.arrow_source = source
                arrow_after = _Open(indent, source, "question", line.number)
                self.opened.append(arrow_after)
        # Branches of a decision tree: "yes -> human", "no: ask for it".
        branch: Literal["", "yes", "no"] = ""
        marked = re.match(
            r"^(?:->|=>|-)?\s*(?:if\s+)?[\"']?(yes|no|y|n|true|false|else"
            r"|otherwise)[\"']?\s*(?:->|=>|:|,|-|\.|\))\s*",
            content,
            re.IGNORECASE,
        )
        asked = next((one for one in reversed(self.opened) if one.kind == "question"), None)
        if marked and asked is not None:
            branch = "yes" if marked.group(1).lower() in {"yes", "y", "true"} else "no"
            content = content[marked.end() :]
        step = re.match(r"^(given|when|then|and|but|scenario)\b[\s:]*(.*)$", content, re.IGNORECASE)
        word = step.group(1).lower() if step else ""
        if (
            step
            and not code
            and (word == "then" or not re.search(r",|->|=>|\bthen\b", step.group(2)))
        ):
            if word == "scenario":
                self.given = ""
            elif word in {"given", "when"} and not content.endswith((".", ":", "?", "!")):
                self.given = step.group(2)
            elif word in {"then", "and", "but"} and self.given:
                asked = _Open(indent, self.given, "question", line.number)
                branch, content = "yes", step.group(2)
        if self.tag_condition:
            asked = _Open(indent, self.tag_condition, "question", line.number)
            branch, self.tag_condition = "yes", ""
        if arrow_after is not None:
            branch = "yes"
            self.opened.remove(arrow_after)
            content = re.sub(r"^(?:->|=>)\s*", "", content)
        made = self._sentences(
            content,
            line,
            indent=indent,
            branch=branch,
            question=asked.text if asked else "",
            code=code,
        )
        if comment and re.search(r"[a-z]", comment):
            self._sentences(comment, line, indent=indent, code=False, aside=content)
        self._open(content, line, indent, code=code, made=made)

    def _open(
        self, content: str, line: _Line, indent: int, *, code: bool, made: list[Unit]
    ) -> None:
        text = content.strip("*_ ")
        lower = text.lower()
        if (
            re.match(
                r"^(?:if|elif|else if|when|whenever|unless|for each|for every|on|while"
                r"|case|else)\b",
                lower,
            )
            and re.search(r"(?::|->|\bthen|\{)\s*$", lower)
        ) or (re.search(r"(?:^|[:.]\s)if\b.*(?::|\{|->)\s*$", lower) and code):
            self.opened.append(_Open(indent, text.rstrip(":{ "), "condition", line.number))
        elif text.endswith(":") and len(text) < 220:
            sentence = split_sentences(text)[-1]
            inert = any(unit.force == "inert" for unit in made[-1:]) or bool(_BAD.search(sentence))
            self.opened.append(
                _Open(
                    indent,
                    sentence.rstrip(": "),
                    "intro",
                    line.number,
                    forbidding=bool(_FORBIDDING_INTRO.search(sentence))
                    and len(sentence.split()) <= 14,
                    inert=inert or bool(_QUOTING_INTRO.search(sentence)),
                )
            )
        elif text.endswith("?") and len(text) < 200:
            self.opened.append(_Open(indent, split_sentences(text)[-1], "question", line.number))

    def _sentences(
        self,
        content: str,
        line: _Line,
        *,
        indent: int = 0,
        quoted: bool = False,
        branch: Literal["", "yes", "no"] = "",
        question: str = "",
        code: bool = False,
        aside: str = "",
    ) -> list[Unit]:
        conditions = [
            one.text for one in self.opened if one.kind == "condition" and one.indent < indent
        ]
        intros = [one for one in self.opened if one.kind == "intro"]
        context = [*self._above(), *conditions]
        if aside:
            context.append(aside)
        made: list[Unit] = []
        label = ""
        if " :: " in content:
            label, _, content = content.partition(" :: ")
            context.append(label)
        forbidding = any(one.forbidding for one in intros)
        role = _ROLE.match(content)
        role_name = re.sub(r"[\d#()\s]+$", "", role.group(1).lower()) if role else ""
        pieces = [content] if code else split_sentences(content)
        quote_line = quoted or (role is None and is_attributed(content))
        title = ""
        for index, piece in enumerate(pieces):
            unit = Unit(
                piece,
                line.number,
                context=" . ".join([*context, title] if title else context),
                question=question or ". ".join(conditions),
                branch=branch,
                forbidding=forbidding,
                block=self.block,
                first_in_line=index == 0,
                code=code,
            )
            if conditions and not question:
                unit.branch = "yes"
            if any(one.inert for one in intros):
                unit.force, unit.why = "inert", "told as somebody's words or as a bad example"
            elif quote_line and (index == 0 or quoted):
                unit.force, unit.why = "inert", "a quotation"
            elif _BAD.search(piece):
                unit.force, unit.why = "inert", "a bad example"
                self.bad_line = line.number
            elif role and role_name in _GIVEN and index == 0:
                unit.force, unit.why = "given", "what somebody writes to the agent"
            elif (
                role
                and role_name in _SPOKEN
                and (index == 0 or (made and made[0].force == "example"))
            ):
                unit.force = "example"
            # "Duplicate. Vendor and number seen before: stop." The first word is a title.
            words = re.findall(r"[A-Za-z']+", piece)
            if (
                index == 0
                and len(pieces) > 1
                and not piece.endswith("?")
                and 0 < len(words) <= 4
                and not _VERB_HINT & {word.lower() for word in words}
            ):
                title = piece.rstrip(". ")
            made.append(unit)
        self.units.extend(made)
        return made


_QUOTING_INTRO = re.compile(
    r"\b(?:(?:you'll|you will|you may|you might|we|you|what (?:you|we|people|customers"
    r"|vendors)) (?:\w+ )?(?:hear|heard|hears)"
    r"|(?:things|what|stuff) (?:people|customers|vendors|we|they|colleagues|others) "
    r"(?:\w+ )?(?:say|said|heard|write|wrote|hear)"
    r"|as a warning|bad examples?|wrong (?:answers|examples|replies)|not to be "
    r"(?:imitated|copied|followed)|quotes?|quotations?"
    r"|voices|overheard|sayings|statements? (?:from|of|by)|(?:customers?|vendors?|people) "
    r"(?:like to |often |sometimes |will |may )?(?:say|write|claim)"
    r"|do not (?:imitate|copy)|don't (?:imitate|copy)|old rules?|previous rules?|no "
    r"longer (?:valid|appl\w+|holds?|in force|count\w*)|out of force|not in force"
    r"|(?:is|are|was|were|have been|has been) (?:withdrawn|abolished|repealed|obsolete|outdated|revoked)"
    r"|what (?:others|competitors) do)\b",
    re.IGNORECASE,
)


def is_attributed(text: str) -> bool:
    """Whether the text is what somebody else said, and hardly anything besides."""
    if "->" in text or "=>" in text:
        return False
    if re.match(
        r"^\W{0,3}\"[^\"]{12,}\"\s*(?:\(|-|,\s*(?:said|says|wrote)|(?:said|says|wrote)\b)", text
    ):
        return True
    match = _ATTRIBUTED.match(text) or _REPORTED.match(text)
    if match is None:
        return False
    rest = re.split(r"[\"'](?=\s|[.,;:]|$)", text[match.end() :])
    return len(rest[-1].split()) <= 3 or len(rest) < 2


def cut(prompt: str) -> list[Unit]:
    """The units of a prompt in order, forces of form set (see `judge_force` for those of content)."""
    return _Cutter().cut(normalise(prompt))


def looks_like_keywords(text: str) -> bool:
    """A row of catchwords without a sentence: six or more pieces, hardly a function word."""
    body = re.sub(r"^\s*\w+\s*:", "", text)
    if "{" in body:
        return False  # a sample of the answer
    pieces = [piece for piece in re.split(r"[,;|/•]\s*|\s-\s", body) if piece.strip()]
    words = re.findall(r"[A-Za-z']+", body.lower())
    if len(pieces) < 6 or not words:
        return False
    functions = sum(word in _FUNCTION_WORDS for word in words) / len(words)
    average = len(words) / len(pieces)
    if (
        len(pieces) >= 9
        and average < 3.2
        and functions < 0.25
        and ":" not in body
        and "->" not in body
    ):
        return True
    return functions < 0.12 and average < 4.5


def _is_word_list(units: Sequence[Unit]) -> bool:
    """Whether nearly the whole prompt is rows of catchwords ("order number, ask")."""
    rows = [unit for unit in units if unit.force != "label"]
    listed = [
        unit
        for unit in rows
        if "," in unit.text
        and not re.search(r"[:;(){}=?]|->|=>|\d\.", unit.text)
        and all(len(piece.split()) <= 3 for piece in unit.text.split(","))
        and not _FUNCTION_WORDS & set(re.findall(r"[a-z']+", unit.text.lower()))
    ]
    return len(rows) >= 5 and len(listed) >= 0.7 * len(rows)


def judge_force(
    units: Sequence[Unit],
    *,
    pasted: Callable[[str], bool],
    about_other_case: Callable[[Unit], str],
    tool_names: Mapping[str, str],
    requirement_ids: frozenset[str] = frozenset(),
) -> None:
    """Set the force of every unit that its form alone did not decide."""
    forged = False
    bare = _is_word_list(units)
    for unit in units:
        if unit.force in {"inert", "label", "given"}:
            continue
        text = unit.text
        if bare or _KEYWORD_LABEL.match(text):
            unit.force, unit.why = "inert", "a list of keywords"
        elif (
            re.fullmatch(r"\W*\"[^\"]{8,}\"\W*", text)
            and unit.following is not None
            and unit.following.line == unit.line
            and _TAKEN_BACK.match(unit.following.text)
        ):
            unit.force, unit.why = "inert", "a quotation"
        elif _GRADER.search(text) and not re.search(
            r"\b(?:customer|invoice)s?\b[^.]*\bgrading\b", text
        ):
            unit.force, unit.why = "inert", "a word to the grader"
            forged = True
        elif (
            forged
            and unit.previous is not None
            and unit.previous.why == "a word to the grader"
            and (
                unit.block == unit.previous.block
                and unit.line == unit.previous.line
                and not re.match(r"\s*(?:if|when|ask|never|always|you)\b", text, re.I)
            )
        ) or (
            sum(one in text for one in requirement_ids) >= 2
            or text.strip(" \t-*[]()xX✓✔✅.:`\"'") in requirement_ids
        ):
            unit.force, unit.why = "inert", "a word to the grader"
        elif _CLAIM.search(text) and len(text.split()) <= 9 and not unit.code:
            unit.force, unit.why = "inert", "claims a rule without giving it"
        elif looks_like_keywords(text):
            unit.force, unit.why = "inert", "a list of keywords"
        elif pasted(text):
            unit.force, unit.why = "inert", "pasted from the brief"
        elif (unit.force != "example" and is_attributed(text)) or _HEARSAY.search(text):
            unit.force, unit.why = "inert", "what somebody said or what no longer holds"
        elif other := about_other_case(unit):
            unit.force, unit.why = "inert", f"a rule for another case ({other})"
        elif _still_another_case(unit):
            unit.force, unit.why = "inert", "a rule for another case"
        elif _WEAK.search(text):
            unit.force, unit.why = "weak", "a wish or a warning without an act"
        elif unit.force == "rule" and not unit.code and text.rstrip("\"') ").endswith("?"):
            unit.force, unit.why = "question", "a question"
        elif unit.force == "rule" and _is_inventory(unit, tool_names):
            unit.force, unit.why = "inert", "a list of tools"
        if (
            unit.force in {"rule", "question"}
            and unit.previous is not None
            and unit.previous.force in {"given", "example"}
            and unit.block == unit.previous.block
            and unit.line - unit.previous.line <= 1
            and not re.search(r"\b(?:always|never|must)\b", text, re.I)
        ):
            unit.force = "example"  # the agent's side of a worked case
        # "This was withdrawn in May" takes back the sentence before it.
        if (
            unit.previous is not None
            and unit.previous.force in {"rule", "weak"}
            and re.match(
                r"\W*(?:this|that|it|these|they|those) (?:is|was|are|were|has been|have "
                r"been)?\s*(?:no longer|withdrawn"
                r"|an old|obsolete|outdated|abolished|not (?:our|a) rule|what (?:an?|the"
                r"|our) \w+ (?:wrote|said))",
                text,
                re.I,
            )
        ):
            unit.previous.force, unit.previous.why = "inert", "taken back by the next sentence"


_CASE_LABEL: Final = re.compile(
    r"^\W*(?:for|in case of|regarding|concerning)?\s*[^:.]{3,40}:", re.I
)


def _still_another_case(unit: Unit) -> bool:
    """Whether a label at the head of the row ("For travel expenses:") covers this sentence too."""
    before = unit.previous
    return (
        before is not None
        and not unit.first_in_line
        and before.line == unit.line
        and before.why.startswith("a rule for another case")
        and (_CASE_LABEL.match(before.text) is not None or not before.first_in_line)
    )


def _is_inventory(unit: Unit, tool_names: Mapping[str, str]) -> bool:
    named = sum(name in unit.text for name in tool_names)
    return named >= 3 and not re.search(
        r"\b(?:if|when|before|after|first|then|never|only|must|until|not)\b|->|=>|[{}]",
        unit.text,
        re.I,
    )


def silence_quotations(unit: Unit) -> None:
    """Tokens inside a quotation of four words or more say what somebody said, not what to do.

    A quotation that follows "reply:" or "ask" is the agent's own words and keeps its voice.
    """
    row = unit.tokens
    opened: int | None = None
    if unit.code:
        return
    for index, token in enumerate(row):
        if token.kind != MARK or token.text != '"':
            continue
        if opened is None:
            opened = index
            continue
        words = [one for one in row[opened + 1 : index] if one.kind in (WORD, NUMBER)]
        before = {one.stem for one in row[max(0, opened - 5) : opened] if one.kind == WORD}
        whole = opened <= 1 and index >= len(row) - 2
        spoken = (bool(before & _SAYING) or unit.force == "example") and not before & _OTHERS_SAYING
        data = any(one.text in "{}:|" for one in row[opened + 1 : index] if one.kind == MARK)
        if (
            len(words) >= 3 and not whole and not spoken and not (data and unit.force != "given")
        ) or (before & _OTHERS_SAYING and len(words) >= 2):
            for one in row[opened : index + 1]:
                one.silent = True
        opened = None


_SAYING: Final = frozenset(
    {
        "reply",
        "answer",
        "ask",
        "write",
        "say",
        "respond",
        "with",
        "question",
        "you",
        "agent",
        "end",
        "return",
    }
)
_OTHERS_SAYING: Final = frozenset(
    {
        "customer",
        "mail",
        "vendor",
        "they",
        "messag",
        "user",
        "invoic",
        "somebody",
        "someone",
        "claim",
        "text",
    }
    | {"shopper", "document", "sentenc", "like", "writer"}
)
