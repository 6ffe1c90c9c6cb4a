"""Negation and conditions: which words of a clause are denied, and which only say when.

Negation has a scope and can cancel itself out: "never pay without asking" demands the asking,
"do not fail to log" demands the log, "nothing but the policy" is an "only". A word inside an
if-clause is a circumstance, never an order.
"""

from __future__ import annotations

from typing import Final

from courses.simulators.prompts.segments import Unit
from courses.simulators.prompts.words import MARK, NUMBER, WORD, Token, word_set

BOUNDARIES: Final = frozenset({";", ":", ".", "->", "?", "!", "|", "-", "{", "}", "[", "]"})
_RESET: Final = word_set("but however instead otherwise else then yet rather simply just still")
_SUBJECTS: Final = word_set("you we it they he she i robot agent this that one everything a the")
_MODALS: Final = word_set("must may shall should will can is are has be gets goes always")
_CANCELS: Final = word_set("fail forget hesitat omit neglect miss overlook shy")
_NEGATIVE_VERBS: Final = word_set(
    "avoid refrain forbid prohibit abstain skip omit forgo forego ceas neglect drop "
    "disallow ban spare"
    " forbidden dispens"
)
_POSTPOSED: Final = word_set(
    "forbidden prohibit ban unaccept unnecessary needless superfluou taboo disallow "
    "optional inadmissibl"
    " unneed unwant impossibl disabl undesir forbid unrequir pointless"
)
_NOT_WHAT: Final = word_set(
    "allow require necessary permit accept acceptabl matter okay tolerat option mandatory desir"
    " wish welcom legal requir want call"
)
_COMPARE: Final = word_set(
    "exceed more over above great higher large less below under late few fewer greater "
    "larger bigger"
    " later lower beyond surpass"
)
_NEW_SUBJECT: Final = frozenset({"you", "we", "they", "he", "she", "agent", "robot"})
_IMPERATIVE: Final = word_set(
    "ask take find use pay refund escalate hand give reply answer write pass send stop go "
    "request pick look"
    " call forward transfer treat follow obey do carry tell wait say get return check "
    "refuse decline reject"
    " deny ignore continue proceed process flag hold log name state leave restate confirm "
    "make issue add"
    " say deny simply just instead always settle handle choose guess let keep put move "
    "contact"
)
_NOUN_BEFORE: Final = word_set(
    "to not you they we customers people i users and or clients vendors who that which "
    "can will may must"
    " should would could shall never always do does did ever please also the a an of for "
    "in on"
)
_CONDITION_WORDS: Final = frozenset(
    {"if", "when", "whenever", "where", "wherever", "whoever", "whose"}
)
_DUTIES: Final = word_set("shall must may should can will do never always")
_CONDITION_ENDS: Final = frozenset({",", ":", ";", "->", "?", ".", "-", "{"})


def mark(unit: Unit) -> None:
    """Set `clause`, `negated` and `conditional` on every token of the unit."""
    _conditions(unit.tokens)
    _negations(unit)


def _stem(row: list[Token], i: int) -> str:
    return row[i].stem if 0 <= i < len(row) else ""


def _low(row: list[Token], i: int) -> str:
    return row[i].text.lower() if 0 <= i < len(row) else ""


def _end_of_clause(row: list[Token], i: int, *, commas: bool = True) -> int:
    while i < len(row):
        text = row[i].text
        if row[i].kind == MARK and (text in BOUNDARIES or (commas and text == ",")):
            return i
        i += 1
    return i


def _start_of_clause(row: list[Token], i: int) -> int:
    while i > 0:
        before = row[i - 1]
        if before.kind == MARK and (before.text in BOUNDARIES or before.text == ","):
            return i
        if before.text.lower() in {"but", "then"}:
            return i
        i -= 1
    return 0


def _conditions(row: list[Token]) -> None:
    n = len(row)
    i = 0
    arrow = next((k for k, one in enumerate(row) if one.kind == MARK and one.text == "->"), 0)
    if arrow:
        start = max(
            (k + 1 for k in range(arrow) if row[k].kind == MARK and row[k].text in {":", ";", "."}),
            default=0,
        )
        for one in row[start:arrow]:  # "no number -> ask": what stands before the arrow is the case
            one.conditional = True
    while i < n:
        word, before, after = _low(row, i), _low(row, i - 1), _low(row, i + 1)
        opens = (
            (word in _CONDITION_WORDS and before not in {"only", "not", "know"})
            or (word == "should" and (i == 0 or row[i - 1].kind == MARK))
            or (word == "in" and after in {"case", "cases"})
            or (word == "unless" and not _denied_before(row, i))
            or (word in {"once", "upon", "given"} and i == 0)
            or (word in {"which", "that"} and before in _PEOPLE)
            or (word == "who" and i > 0 and row[i - 1].kind == WORD)
            or (word == "without" and (i == 0 or row[i - 1].kind == MARK))
            or (word == "as" and after in {"soon", "long"})
            or (
                word
                in {
                    "whatever",
                    "whichever",
                    "whoever",
                    "however",
                    "anything",
                    "anyone",
                    "anybody",
                    "what",
                }
                and (i == 0 or row[i - 1].kind == MARK)
                and not (word == "what" and not any(one.text == "," for one in row[i:]))
            )
        )
        relative = word in {
            "who",
            "which",
            "that",
            "whatever",
            "whichever",
            "whoever",
            "however",
        } or (word in {"anything", "anyone", "anybody"})
        if word in {"before", "prior"} and not _denied_before(row, i):
            opens = True
        if not opens:
            i += 1
            continue
        j = i + 1
        while j < n:
            text = _low(row, j)
            if row[j].kind == MARK and text in _CONDITION_ENDS:
                if text == "-" and j == i + 1:
                    j += 1
                    continue
                break
            if text in {"then", "please"}:
                break
            if (
                relative
                and text in _MAIN_VERBS
                and j > i + 1
                and (_low(row, j - 1) not in _NO_MAIN_BEFORE or _is_compared(row, j - 1))
                and (word not in {"whatever", "anything"} or j > i + 2)
            ):
                break
            if (
                text in {"he", "you", "we", "it", "she"}
                and j > i + 2
                and row[j - 1].kind == WORD
                and _low(row, j - 1)
                in {
                    "already",
                    "before",
                    "earlier",
                    "then",
                    "twice",
                    "once",
                    "refunded",
                    "missing",
                    "number",
                    "hurt",
                    "injured",
                    "lawyer",
                    "court",
                }
            ):
                break
            if text == "i" and j > i + 1 and row[j - 1].kind == WORD:
                break  # a checklist in the first person: "if he gave none I asked for it"
            if (
                text == "you"
                and word in {"what", "whatever", "anything"}
                and j > i + 3
                and row[j - 1].kind == WORD
                and _low(row, j + 1) in _IMPERATIVE | {"decide", "solve", "invent"}
            ):
                break  # "what the policy does not cover you decide yourself"
            if text == "your" and _low(row, j + 1) in {"reply", "answer"} and j > i + 3:
                break
            if text == "answer" and _low(row, j - 1) == "the" and j > i + 3:
                j -= 1
                break
            if (
                text in {"agent", "you", "robot", "we"}
                and j > i + 2
                and _low(row, j + 1) in _DUTIES
            ):
                if _low(row, j - 1) == "the":
                    j -= 1
                break
            if (
                text in _IMPERATIVE
                and j > i + 1
                and row[j - 1].kind != MARK
                and _low(row, j - 1) not in _NOUN_BEFORE
                and row[j].kind == WORD
                and _looks_imperative(row, i, j)
            ):
                break
            j += 1
        for k in range(i, j):
            row[k].conditional = True
        i = max(j, i + 1)


_MAIN_VERBS: Final = word_set(
    "is are must shall goes gets belongs counts remains needs lands will should can may "
    "has does never"
)
_NO_MAIN_BEFORE: Final = word_set(
    "who which that and or he she they it you customer customers what not also whatever "
    "somebody someone anyone"
    " there which vendor i we"
)
_PEOPLE: Final = word_set(
    "customer customers anyone anybody someone somebody those people everyone client "
    "clients shopper one"
    " vendor vendors mail mails message messages whoever case cases"
)


def _is_compared(row: list[Token], i: int) -> bool:
    """Whether the pronoun at `i` ends a comparison, so that the main clause begins after it
    ("anything above that goes ...", "whatever exceeds it goes ...")."""
    return _low(row, i) in {"it", "that", "this", "them"} and _stem(row, i - 1) in _COMPARE | {
        "over",
        "past",
        "than",
        "outsid",
        "outside",
        "within",
    }


def _looks_imperative(row: list[Token], start: int, j: int) -> bool:
    """In "if there is no number ask for it" the order begins at "ask"; in "if they ask" it does
    not, and a noun ("the answer", "a refund order") never does."""
    word = _low(row, j)
    if word in {
        "refund",
        "order",
        "answer",
        "reply",
        "name",
        "state",
        "call",
        "use",
        "request",
        "log",
        "hold",
    }:
        return (
            _low(row, j + 1) in {"the", "it", "them", "for", "a", "him", "in", "customer", "with"}
            and j - start >= 3
        )
    if word in {"look", "check", "process", "flag", "hand", "add", "move", "stop"}:
        return j - start >= 3
    return word not in {"simply"} or True


def _denied_before(row: list[Token], i: int) -> bool:
    """Whether "unless", "until" or "before" at `i` follows a denial in the same clause."""
    k = i - 1
    steps = 0
    while k >= 0 and steps < 22:
        token = row[k]
        if token.kind == MARK and token.text in BOUNDARIES:
            return False
        if token.text.lower() in {
            "not",
            "never",
            "no",
            "nothing",
            "nobody",
            "none",
            "cannot",
            "neither",
            "nor",
        }:
            return True
        k -= 1
        steps += 1
    return False


def _negations(unit: Unit) -> None:
    row = unit.tokens
    n = len(row)
    base = unit.forbidding
    if n > 1 and row[0].value == 0 and row[1].text == ":":
        base = True  # "Zero: the number of orders you take from a mail"
    negated = base
    origin = -1  # where the running negation began
    clause = 0
    i = 0
    flip_back: list[tuple[int, int]] = []  # stretches whose negation a later word turns
    whole: list[tuple[int, int]] = []  # stretches denied as a whole ("no card number may appear")
    depth: list[tuple[bool, int]] = []
    relative_denial = False  # "no ... that", where a further "not" makes it a "must"
    strong_denial = False
    denial = False  # whether a "no", "not" or "never" stands in this clause
    while i < n:
        token = row[i]
        word, root = token.text.lower(), token.stem
        after, after2 = _stem(row, i + 1), _stem(row, i + 2)
        before = _stem(row, i - 1)
        token.clause = clause
        if token.kind == MARK:
            if word in {"(", "["}:
                depth.append((negated, origin))
                negated, origin = base, -1
                clause += 1
            elif word in {")", "]"}:
                if depth:
                    negated, origin = depth.pop()
                clause += 1
            elif (
                word == ":"
                and i <= 2
                and negated
                and origin >= 0
                and i - origin == 1
                and not row[origin].conditional
            ):
                base = True  # "Never: ..." governs what follows
                clause += 1
            elif (
                word == ":" and before == "do" and row[i - 1].negated and not row[i - 1].conditional
            ):
                base = negated = True  # "One thing it doesn't do: ..."
                clause += 1
            elif word in BOUNDARIES:
                clause += 1
                negated, origin, denial = base, -1, base
                relative_denial = strong_denial = False
            elif word == ",":
                strong_denial = False
                if negated and not base and not _list_goes_on(row, i):
                    negated, origin = base, -1
                    clause += 1
                elif not negated:
                    clause += 1
            token.negated = negated
            i += 1
            continue
        enters_condition = token.conditional and (i == 0 or not row[i - 1].conditional)
        if enters_condition and negated and not base and word != "unless":
            # The condition after a denial is not itself denied: "do not pay if ...".
            negated, origin = base, -1
        if (
            not token.conditional
            and i > 0
            and row[i - 1].conditional
            and origin >= 0
            and row[origin].conditional
        ):
            negated, origin = base, -1
            clause += 1
        if (
            word in _RESET
            and not (word == "instead" and after == "of")
            and not (word == "rather" and after == "than")
            and not (
                word in {"just", "simply"} and (before == "not" or (negated and i - 1 == origin))
            )
            and not (word == "but" and i - 1 == origin)
        ):
            negated, origin = base, -1
            if word not in {"just", "simply", "still"}:
                clause += 1
                token.clause = clause
            token.negated = negated
            i += 1
            continue
        if word in {"and"} and negated and not base:
            following = _low(row, i + 1)
            if (
                (following in _SUBJECTS and following not in {"a", "the"})
                or following in _MODALS
                or following in {"instead", "always", "then", "goes", "escalates", "asks"}
            ):
                negated, origin = base, -1
                clause += 1
            token.negated = negated
            i += 1
            continue
        if not token.conditional and (
            word in {"no", "none", "nothing", "nobody"} or (word == "not" and after in {"a", "one"})
        ):
            strong_denial = True
        if strong_denial and word in {"that", "which", "who", "whom", "where", "whose"}:
            relative_denial = True
        if not token.conditional and (
            word in {"not", "never", "nobody", "none", "nor"}
            or (
                word in {"no", "nothing"}
                and after not in {"matter", "exception", "doubt", "problem", "but", "els"}
            )
        ):
            denial = True
        if word in {"not", "never", "nor", "hardly", "neither", "nowhere"} or (
            word == "no" and after in {"longer", "way"}
        ):
            i = _not(row, i, unit, flip_back)
            if row[i - 1].silent and row[i - 1].stem in _CANCELS:
                negated, origin = False, -1
                continue
            if _low(row, i - 1) in {"only", "just", "merely"} and word == "not":
                continue
            if word == "not" and after in _COMPARE:
                continue
            if word == "neither" and not negated:
                pass
            if relative_denial and word in {"not", "never"}:
                negated, origin = False, -1  # "no mention that does not go to a human"
                token.negated = False
                continue
            if (
                negated
                and origin >= 0
                and not _joined_between(row, origin, i - 1)
                and not any(_low(row, k) in _NEW_SUBJECT for k in range(origin + 1, i - 1))
            ):
                negated = False  # "never right not to wait"
                origin = -1
            elif base and word in {"not", "never"} and origin < 0 and i <= 3:
                negated, origin = True, i - 1  # "Don'ts: never ..." is still a don't
            else:
                negated, origin = True, i - 1
            token.negated = negated
            continue
        if word == "nothing" and before in {
            "say",
            "have",
            "contain",
            "provide",
            "mention",
            "offer",
            "state",
            "there",
        }:
            token.negated = negated
            i += 1
            continue
        if word == "than" and any(
            _low(row, k) in {"sooner", "rather"} for k in range(max(0, i - 16), i)
        ):
            negated, origin = True, i
            i += 1
            continue
        if word in {"no", "nothing", "nobody", "none", "zero"} or (
            token.kind == NUMBER and token.value == 0 and word == "zero"
        ):
            if word in {"no", "zero"} and (
                after
                in _COMPARE
                | {
                    "matter",
                    "exception",
                    "doubt",
                    "problem",
                    "drama",
                    "issu",
                    "troubl",
                    "differ",
                    "#",
                    "idea",
                    "fewer",
                }
                or after in {".", ",", "->", ":", ")"}
            ):
                i += 1
                continue
            if word == "no" and after == "other" and after2 == "than":
                i += 3  # "to no other than X" names X
                continue
            if word in {"nothing", "none", "nobody"} and after in {
                "but",
                "els",
                "except",
                "other",
                "save",
            }:
                if after == "els":
                    i += 2
                    continue
                i += 2  # "nothing but X" is "only X"
                continue
            if word == "no" and after in {
                "need",
                "reason",
                "point",
                "require",
                "requir",
                "ground",
                "use",
                "sens",
                "obligation",
                "duty",
                "necessity",
            }:
                negated, origin = True, i
                i += 2
                if _stem(row, i) in {".", ",", ""}:
                    start = _start_of_clause(row, i - 2)
                    whole.append((start, i))
                continue
            if before in {"under", "on", "in", "at", "by"} and after in {
                "circumstance",
                "account",
                "case",
                "time",
                "mean",
                "way",
                "event",
                "point",
            }:
                negated, origin = True, i
                i += 2
                continue
            if token.conditional:
                # "if there is no order number": local to the noun.
                for k in range(i + 1, min(n, i + 5)):
                    if row[k].kind == MARK or not row[k].conditional:
                        break
                    row[k].negated = True
                i += 1
                continue
            if (
                negated
                and origin >= 0
                and _low(row, origin) in {"not", "never"}
                and not _joined_between(row, origin, i)
            ):
                # "do not ... no": a second negative cancels the first from here on.
                negated, origin = False, -1
            else:
                end = _end_of_clause(row, i)
                start = _start_of_clause(row, i)
                stop = next(
                    (
                        k
                        for k in range(i + 1, end)
                        if _low(row, k)
                        in {"without", "unless", "until", "before", "except", "but", "other"}
                    ),
                    end,
                )
                joint = max(
                    (k + 1 for k in range(start, i) if _low(row, k) == "and"), default=start
                )
                whole.append((joint, i))
                negated, origin = True, i
                _ = stop
            token.negated = negated
            i += 1
            continue
        if word == "without":
            if (
                after
                in {
                    "exception",
                    "fail",
                    "delay",
                    "doubt",
                    "discussion",
                    "further",
                    "hesitation",
                    "hesitat",
                    "regard",
                    "any",
                }
                and after != "any"
            ):
                i += 2
                continue
            negated = not (negated or denial)
            origin = i if negated else -1
            token.negated = negated
            i += 1
            continue
        if (
            word in {"unless", "until", "except", "before", "besides", "save"}
            or (word == "other" and after == "than")
            or (word == "but" and negated)
        ):
            if negated and not base:
                negated, origin = False, -1
            elif word in {"except"} and not negated:
                pass
            clause += 1
            token.clause = clause
            i += 1
            continue
        if (word == "instead" and after == "of") or (word == "rather" and after == "than"):
            negated, origin = True, i
            row[i + 1].negated = True
            clause += 1
            token.clause = clause
            i += 2
            continue
        if (
            root in _POSTPOSED
            and (
                before in {"be", "strict", "absolut", "complet", "totally", "expressly", "is", ","}
                or i == n - 1
                or i == 0
            )
            and not token.silent
        ):
            follows_to = "to" in {after, after2}
            if follows_to:
                negated, origin = not negated, i
            else:
                flip_back.append((_start_of_clause(row, i), i))
            token.negated = False
            i += 1
            continue
        if (
            root in _NEGATIVE_VERBS
            and not token.silent
            and not (root == "drop" and after not in {"the", "it"})
        ):
            token.negated = negated
            negated = not negated
            origin = i if negated else -1
            i += 1
            continue
        if word == "stop" and _low(row, i + 1).endswith("ing"):
            negated, origin = True, i
            i += 1
            continue
        if word == "off" and (after in {"limit", "limits"} or before in {"switch", "turn"}):
            flip_back.append((_start_of_clause(row, i), i))
            i += 1
            continue
        if word == "out" and after == "of" and after2 in {"question", "bound"}:
            flip_back.append((_start_of_clause(row, i), i))
            i += 1
            continue
        if word == "out" and after == "of" and _stem(row, i + 3) == "question":
            flip_back.append((_start_of_clause(row, i), i))
            i += 1
            continue
        token.negated = negated
        i += 1
    for start, end in whole:
        for k in range(start, end):
            if not row[k].conditional:
                row[k].negated = True
    for start, end in flip_back:
        for k in range(start, end):
            if not row[k].conditional or all(one.conditional for one in row[start:end]):
                row[k].negated = not row[k].negated


def _not(row: list[Token], i: int, unit: Unit, flip_back: list[tuple[int, int]]) -> int:
    """Handle what stands after a "not"; the index of the next token to look at."""
    n = len(row)
    word, after, after2 = row[i].text.lower(), _stem(row, i + 1), _stem(row, i + 2)
    if (
        word == "not"
        and _low(row, i + 1) in {"only", "just", "merely"}
        and _low(row, i - 1) not in {"do", "does"}
    ):
        return i + 2
    k = i + 1
    while k < min(n, i + 4) and row[k].stem in {
        "be",
        "have",
        "ever",
        "to",
        "we",
        "you",
        "it",
        "must",
    }:
        k += 1
    if k < n and row[k].stem in _CANCELS | {"skip", "forgo"} and row[k].stem not in {"miss"}:
        row[k].silent = True
        for m in range(i, k + 1):
            row[m].negated = False
        return k + 1
    if (
        after in _NOT_WHAT
        and after2 != "to"
        and word == "not"
        and row[i - 1].stem in {"be", "do", "need"}
        and i > 0
    ) and (row[i - 1].stem == "be" or after in {"matter"}):
        flip_back.append((_start_of_clause(row, i), i))
    if after == "need" and after2 in {"", ".", ",", "!"} and i > 0:
        flip_back.append((_start_of_clause(row, i), i))
    _ = unit
    return i + 1


def _list_goes_on(row: list[Token], comma: int) -> bool:
    """Whether the words after a comma continue a denied list ("card numbers, names or ...")."""
    n = len(row)
    following = _low(row, comma + 1)
    if following in {"or", "nor", "not", "never", "neither", "even"}:
        return following in {"or", "nor"}
    after = _low(row, comma + 2)
    if following in _IMPERATIVE and after not in {",", "or", "and"}:
        return False
    if following in {
        "and",
        "but",
        "so",
        "then",
        "instead",
        "you",
        "we",
        "they",
        "it",
        "he",
        "only",
        "always",
        "as",
        "since",
        "because",
        "no",
        "if",
        "when",
        "unless",
        "just",
        "for",
        "whatever",
    }:
        return False
    for k in range(comma + 1, min(n, comma + 16)):
        text = _low(row, k)
        if row[k].kind == MARK and text in BOUNDARIES:
            return False
        if text in {"or", "nor"}:
            return True
        if text in {"but", "not", "never", "instead", "you", "must", "should", "is", "are"}:
            return False
    return False


def _joined_between(row: list[Token], start: int, end: int) -> bool:
    return any(
        one.text.lower() in {"and", "or", "nor", "but", ",", ";", "neither"}
        for one in row[start + 1 : end + 1]
    )
