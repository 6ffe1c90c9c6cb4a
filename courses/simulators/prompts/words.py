"""Words, numbers and money: the first step from a prompt to rules.

A sentence becomes tokens. A token keeps what was written, its stem, and for a number its value and
unit. Contractions are opened ("don't" gives "do not"), number words are counted ("five grand" is
5000), tool names and dotted paths fall apart into words, and slips of the pen are mended where
exactly one word of the platform's vocabulary lies one slip away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

WORD, NUMBER, MARK = "word", "number", "mark"


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables that read better as a line than as a list."""
    return frozenset(text.split())


USD, OTHER_MONEY, PERCENT, DIGITS = "usd", "other-money", "percent", "digits"


@dataclass(slots=True)
class Token:
    """One word, number or mark. `negated`, `conditional`, `silent` are set by later steps."""

    text: str
    stem: str
    kind: str
    value: float | None = None
    unit: str | None = None
    clause: int = 0
    negated: bool = False
    conditional: bool = False
    silent: bool = False


IRREGULAR: Final = {
    word: stem
    for stem, words in {
        "be": "is are was were been being am",
        "have": "has had having",
        "do": "does did done doing",
        "give": "gave given giving gives",
        "send": "sent",
        "tell": "told",
        "say": "said says",
        "write": "wrote written writing writes",
        "pay": "paid payed pays paying",
        "go": "went gone goes going",
        "make": "made making",
        "take": "took taken taking",
        "get": "got gotten getting",
        "know": "knew known",
        "find": "found",
        "forget": "forgot forgotten forgetting",
        "leave": "left leaving leaves",
        "keep": "kept",
        "hold": "held",
        "come": "came coming",
        "speak": "spoke spoken",
        "choose": "chose chosen choosing",
        "show": "shown",
        "see": "saw seen",
        "think": "thought",
        "hear": "heard",
        "sue": "sues sued suing",
        "mean": "meant",
        "let": "letting",
        "put": "putting",
        "stop": "stopped stopping",
        "refer": "referred referring",
        "submit": "submitted submitting",
        "injury": "injuries injured injure injures injuring",
        "policy": "policies",
        "query": "queries",
        "reply": "replies replied replying",
        "deny": "denies denied denying denial",
        "language": "languages",
        "identify": "identifies identified identifying identification",
        "verify": "verifies verified verifying verification",
        "confirm": "confirmation confirmations confirmed confirming confirms",
        "approve": "approval approvals approved approving approves",
        "approver": "approvers",
        "decide": "decision decisions decided deciding decides",
        "threat": "threaten threatens threatened threatening threats",
        "die": "died dies dying",
        "bleed": "bled",
        "burn": "burnt burned burns",
        "ring": "rang rung",
        "refuse": "refusal refuses refused refusing",
        "reveal": "revelation",
        "repeat": "repetition",
        "instruct": "instruction instructions instructed instructs instructing",
        "person": "people persons",
        "datum": "data",
        "lawyer": "lawyers",
        "try": "tried tries trying",
        "cry": "cried cries",
        "rely": "relies relied relying",
        "apply": "applies applied applying application",
        "carry": "carries carried carrying",
        "agree": "agreed agrees agreeing agreement",
        "fall": "fell fallen",
        "begin": "began begun beginning",
        "hide": "hid hidden hiding",
        "read": "reads reading",
        "seek": "sought",
        "understand": "understood",
        "choice": "choices",
        "rest": "rests resting rested",
        "use": "used uses using",
        "answer": "answers answered answering",
        "order": "orders ordered ordering",
        "number": "numbers numbered",
        "summarise": "summary summarize summarizes summarised summarized summaries summarises",
        "authorise": "authorize authorized authorised authorizes authorization authorisation",
        "apologise": "apologize apologies apology",
        "note": "notes noted noting",
        "likely": "likelier likeliest",
        "care": "cares caring",
        "here": "",
        "fine": "fines",
        "close": "closes closed closing",
        "minimum": "minimal",
        "unless": "",
        "always": "",
        "process": "processes processed",
        "access": "",
        "address": "addresses",
        "less": "",
        "yes": "",
        "this": "",
        "his": "",
        "its": "",
        "thus": "",
        "as": "",
        "us": "",
        "nothing": "",
        "anything": "",
        "something": "",
        "everything": "",
        "during": "",
        "previous": "",
        "business": "",
        "basis": "bases",
        "pass": "passes passed passing",
        "exceed": "excess exceeds exceeded exceeding",
        "sum": "sums",
        "bring": "brought",
        "buy": "bought",
        "break": "broke broken",
        "build": "built",
        "draw": "drew drawn",
        "teach": "taught",
        "stand": "stood",
        "happen": "happens happened happening",
        "need": "needed needs needing",
        "proceed": "proceeds proceeded proceeding",
    }.items()
    for word in [stem, *words.split()]
}


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A crude, stable root: both the lexicon and the prompt go through it, so it need not be
    a word ("reimbursed", "reimburse" and "reimbursing" meet at "reimburs")."""
    low = word.lower()
    known = IRREGULAR.get(low)
    if known is not None:
        return known
    root = low
    if len(root) > 4 and root.endswith("ies"):
        root = root[:-3] + "y"
    elif len(root) > 4 and root.endswith(("sses", "shes", "ches", "xes", "zes")):
        root = root[:-2]
    elif len(root) > 3 and root.endswith("s") and not root.endswith(("ss", "us", "is")):
        root = root[:-1]
    if root in IRREGULAR:
        return IRREGULAR[root]
    for ending in ("ing", "ed"):
        if len(root) > len(ending) + 2 and root.endswith(ending):
            base = root[: -len(ending)]
            if any(vowel in base for vowel in "aeiouy"):
                root = base
                if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "lsz":
                    root = root[:-1]
                for whole in (root, root + "e"):
                    if whole in IRREGULAR:
                        return IRREGULAR[whole]
            break
    if len(root) > 4 and root.endswith("ly"):
        root = root[:-2]
    if len(root) > 3 and root.endswith("e"):
        root = root[:-1]
    return root


SMALL: Final = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
LARGE: Final = {"hundred": 100, "thousand": 1000, "grand": 1000, "million": 1_000_000}
FRACTIONS: Final = {
    "half": 50.0,
    "third": 100 / 3,
    "quarter": 25.0,
    "fifth": 20.0,
    "tenth": 10.0,
    "twentieth": 5.0,
    "fiftieth": 2.0,
    "hundredth": 1.0,
}
USD_WORDS: Final = word_set(
    "usd us$ $ dollar dollars dolars dolar bucks buck us-dollars greenbacks benjamin benjamins"
)
OTHER_MONEY_WORDS: Final = word_set("€ £ eur euro euros gbp pounds chf francs yen cad aud pesos")
PERCENT_WORDS: Final = word_set("% percent percents precent percentage")

CONTRACTIONS: Final = {
    "won't": "will not",
    "can't": "can not",
    "cannot": "can not",
    "shan't": "shall not",
    "wont": "will not",
    "dont": "do not",
    "cant": "can not",
    "doesnt": "does not",
    "isnt": "is not",
    "arent": "are not",
    "didnt": "did not",
    "wasnt": "was not",
    "shouldnt": "should not",
    "mustnt": "must not",
    "ain't": "is not",
    "gotta": "must",
    "gonna": "going to",
    "wanna": "want to",
    "let's": "let us",
    "y'all": "you all",
    "mustn't": "must not",
    "needn't": "need not",
    "noone": "nobody",
    "neednt": "need not",
    "havent": "have not",
    "hasnt": "has not",
    "wouldnt": "would not",
    "couldnt": "could not",
    "whats": "what is",
    "thats": "that is",
    "lemme": "let me",
    "gimme": "give me",
    "pls": "please",
    "plz": "please",
    "info": "information",
    "infos": "information",
    "nbr": "number",
    "num": "number",
    "amt": "amount",
    "msg": "message",
    "msgs": "messages",
    "cust": "customer",
    "lang": "language",
    "ppl": "people",
    "addr": "address",
    "e-mail": "email",
    "e-mails": "emails",
    "look-up": "lookup",
    "look-ups": "lookup",
    "nope": "no",
    "naw": "no",
    "nah": "no",
    "ids": "id",
    "thru": "through",
    "till": "until",
    "til": "until",
    "w/o": "without",
    "u": "you",
    "ur": "your",
    "bc": "because",
    "tho": "though",
    "ok": "okay",
    "o.k": "okay",
    "ye": "you",
    "yer": "your",
    "yerself": "yourself",
    "naught": "nothing",
    "nowt": "nothing",
    "smth": "something",
    "sth": "something",
    "sb": "somebody",
    "nr": "number",
}

_NUMBERED: Final = frozenset(
    {"order", "invoic", "purchas", "reference", "ref", "ticket", "po", "article"}
)

_TOKEN = re.compile(
    r"""
    (?P<arrow>->|=>|→|⇒|➜|-->|==>|:=)
  | (?P<compare><=|>=|==|!=|≤|≥|≠|<|>|=)
  | (?P<money>(?:US\$|USD\s?|\$|€|£|EUR\s?)\s?\d[\d,.]*\d?\s?[kK]?\b|\d[\d,]*(?:\.\d+)?(?:[kK]\b)?)
  | (?P<path>[A-Za-z_][A-Za-z_0-9]*(?:[._][A-Za-z_][A-Za-z_0-9]*)+|[A-Za-z]+_[A-Za-z_0-9]*)
  | (?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*(?:-[^\W\d_]+(?:['’][^\W\d_]+)*)*)
  | (?P<percent>%)
  | (?P<currency>US\$|\$|€|£)
  | (?P<mark>[.,;:?!()\[\]{}|"“”&/+*§–—-])
  | (?P<other>\S)
    """,
    re.VERBOSE,
)
_SIGNS = {
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "→": "->",
    "⇒": "->",
    "➜": "->",
    "=>": "->",
    "-->": "->",
    "==>": "->",
    "–": "-",
    "—": "-",
    "“": '"',
    "”": '"',
    ":=": "=",
}
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
# Hyphens inside these words are part of the word.
_KEEP_HYPHEN = {"e-mail", "e-mails", "look-up", "look-ups"}
ABBREVIATED_NUMBER = frozenset({"no", "nr", "num"})


def _words_of(piece: str) -> list[str]:
    low = piece.lower().replace("’", "'")
    if low in CONTRACTIONS:
        return CONTRACTIONS[low].split()
    if low.endswith("n't"):
        return [low[:-3], "not"]
    for ending, full in (("'re", "are"), ("'ll", "will"), ("'ve", "have"), ("'d", "would"),
                         ("'m", "am")):  # fmt: skip
        if low.endswith(ending):
            return [low[: -len(ending)], full]
    if low.endswith("'s"):
        base = low[:-2]
        owner = {"it", "that", "what", "who", "there", "here", "he", "she", "where", "how"}
        return [base, "is"] if base in owner else [base]
    if low.endswith("s'"):
        return [low[:-1]]
    return [low]


class Speller:
    """Mends words that lie one slip (a letter lost, added, changed, or two swapped) away from
    one word of the vocabulary. Real English words that happen to lie so near are kept."""

    def __init__(self, vocabulary: Iterable[str], real_words: Iterable[str] = ()) -> None:
        self._known = {word for word in vocabulary if word.isalpha()}
        self._real = set(real_words)
        self._kept = self._known | self._real
        self._deletions: dict[str, set[str]] = {}
        for word in sorted(self._known):
            if len(word) >= 4:
                for key in {word, *_without_one(word)}:
                    self._deletions.setdefault(key, set()).add(word)
        self._memory: dict[str, str] = {}

    def mend(self, word: str) -> str:
        if word in self._memory:
            return self._memory[word]
        mended = self._mend(word)
        if len(self._memory) < 50_000:
            self._memory[word] = mended
        return mended

    def _mend(self, word: str) -> str:
        if len(word) < 3 or word in self._known or word in self._real or word in IRREGULAR:
            return word
        if not word.isascii() or not word.isalpha():
            return word
        if word.endswith("s") and word[:-1] in self._kept:
            return word
        if word.endswith(("ed", "ing")) and _is_form_of(word, self._kept):
            return word
        if word in _SHORT_SLIPS:
            return _SHORT_SLIPS[word]
        if len(word) < 4:
            return word
        near = set(self._deletions.get(word, ()))
        for key in _without_one(word):
            near |= self._deletions.get(key, set())
        close = sorted(one for one in near if _one_slip(word, one))
        swapped = [one for one in close if len(one) == len(word) and sorted(one) == sorted(word)]
        if swapped:
            return swapped[0]
        # A lost letter is likelier than an added one, and both than a wrong one.
        same_start = [one for one in close if one[0] == word[0] and len(one) >= 5]
        for kind in (1, -1, 0):
            likely = [one for one in same_start if len(one) - len(word) == kind]
            if likely:
                return likely[0] if len({stem(one) for one in likely}) == 1 else word
        return word


def _is_form_of(word: str, known: Set[str]) -> bool:
    """Whether the word is a past or progressive form of a known one ("masking" of "mask")."""
    base = word[:-2] if word.endswith("ed") else word[:-3]
    return len(base) >= 3 and (base in known or base + "e" in known)


_SHORT_SLIPS: Final = {
    "teh": "the",
    "tel": "tell",
    "menas": "means",
    "anwser": "answer",
    "wil": "will",
    "recieve": "receive",
    "handel": "handle",
    "hte": "the",
    "adn": "and",
    "nad": "and",
    "fro": "for",
    "yuo": "you",
    "nto": "not",
    "taht": "that",
    "wiht": "with",
    "thier": "their",
    "tehm": "them",
    "ont": "not",
    "si": "is",
    "ti": "it",
    "nver": "never",
    "nevr": "never",
    "ask": "ask",
    "aks": "ask",
    "dont": "do not",
    "hwo": "who",
    "waht": "what",
    "mroe": "more",
    "onyl": "only",
    "oly": "only",
    "whne": "when",
    "wehn": "when",
    "fi": "if",
    "jsut": "just",
    "alwyas": "always",
    "lien": "line",
    "pya": "pay",
    "form": "form",
    "abve": "above",
    "beofre": "before",
    "befor": "before",
    "custmer": "customer",
    "ordr": "order",
    "anser": "answer",
    "acount": "account",
}


def _without_one(word: str) -> set[str]:
    return {word[:index] + word[index + 1 :] for index in range(len(word))}


def _one_slip(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        differing = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(differing) == 1:
            return True
        return (
            len(differing) == 2
            and differing[1] == differing[0] + 1
            and one[differing[0]] == other[differing[1]]
            and one[differing[1]] == other[differing[0]]
        )
    short, long = sorted((one, other), key=len)
    return short in _without_one(long)


def tokens(text: str, speller: Speller | None = None) -> list[Token]:
    """The tokens of one sentence, numbers joined with their unit."""
    out: list[Token] = []
    for match in _TOKEN.finditer(text):
        piece = match.group()
        group = match.lastgroup
        if group == "path":
            for part in re.split(r"[._]+", piece):
                for word in _CAMEL.findall(part):
                    low = word.lower()
                    _add_word(out, "number" if low in ABBREVIATED_NUMBER and out else low, speller)
        elif group == "word":
            low = piece.lower()
            parts = [piece] if low in _KEEP_HYPHEN or "-" not in piece else piece.split("-")
            for part in parts:
                if part:
                    for word in _words_of(part):
                        _add_word(out, word, speller)
        elif group == "money":
            _add_number(out, piece)
        elif group == "percent":
            out.append(Token("%", "%", MARK))
        elif group == "currency":
            out.append(Token(piece, "$" if "$" in piece else "€", MARK))
        elif piece == "!" and re.match(r"[\w(]", text[match.end() : match.end() + 1]):
            out.append(Token("not", "not", WORD))  # "if (!order.number)"
        elif group != "other":
            sign = _SIGNS.get(piece, piece)
            out.append(Token(sign, sign, MARK))
        elif piece not in "*`_#~":
            out.append(Token(piece, piece, MARK))
    return _count(out)


def _add_word(out: list[Token], word: str, speller: Speller | None) -> None:
    if not word:
        return
    if (
        word == "no"
        and out
        and out[-1].stem in _NUMBERED
        and out[-1].text.lower() not in {"orders"}
    ):
        word = "number"
    mended = speller.mend(word) if speller else word
    for one in mended.split():
        out.append(Token(one, stem(one), WORD))


def _add_number(out: list[Token], piece: str) -> None:
    unit = None
    if "$" in piece or piece.upper().startswith("USD"):
        unit = USD
    elif piece[0] in "€£" or piece.upper().startswith("EUR"):
        unit = OTHER_MONEY
    digits = re.sub(r"[^\d.]", "", piece).strip(".")
    scale = 1000 if piece[-1] in "kK" else 1
    try:
        value = float(digits) * scale if digits.count(".") <= 1 else float(digits.split(".")[0])
    except ValueError:
        return
    out.append(Token(piece, "#", NUMBER, value=value, unit=unit))
    if piece.endswith((".", ",")):
        out.append(Token(piece[-1], piece[-1], MARK))


def _count(row: list[Token]) -> list[Token]:
    """Join number words and give numbers their units: "one hundred US dollars" is one token."""
    joined: list[Token] = []
    i, n = 0, len(row)
    while i < n:
        token = row[i]
        if token.kind == NUMBER or (token.kind == WORD and _starts_number(row, i)):
            number, i = _join_number(row, i)
            joined.append(number)
        else:
            joined.append(token)
            i += 1
    return joined


def _starts_number(row: list[Token], i: int) -> bool:
    word = row[i].text.lower()
    following = row[i + 1].text.lower() if i + 1 < len(row) else ""
    if word in SMALL:
        if word == "one":  # "one" is mostly a pronoun
            return following in LARGE or following in FRACTIONS or following in PERCENT_WORDS
        return True
    if word == "a" and following in LARGE:
        return True
    if word == "a" and following in {"fiftieth", "twentieth", "hundredth", "benjamin"}:
        return True
    if word in LARGE:
        return word != "grand" or (i > 0 and row[i - 1].kind == NUMBER)
    return word in {"benjamin"}


def _join_number(row: list[Token], i: int) -> tuple[Token, int]:
    n = len(row)
    first = row[i]
    words = [first.text]
    unit = first.unit
    if first.kind == NUMBER:
        value = first.value or 0.0
        i += 1
        while i < n and row[i].text.lower() in LARGE:
            value *= LARGE[row[i].text.lower()]
            words.append(row[i].text)
            i += 1
    else:
        total, current = 0.0, 0.0
        seen = False
        while i < n:
            word = row[i].text.lower()
            if word == "a" and not seen:
                current = 1.0
            elif word in SMALL:
                current += SMALL[word]
            elif word in LARGE:
                current = (current or 1.0) * LARGE[word]
                if LARGE[word] >= 1000:
                    total, current = total + current, 0.0
            elif word in FRACTIONS and seen:
                total, current, unit = FRACTIONS[word] * max(current, 1.0), 0.0, PERCENT
            elif word == "benjamin":
                current, unit = 100.0, USD
            elif word == "and" and seen and i + 1 < n and row[i + 1].text.lower() in SMALL:
                following = row[i + 1].text.lower()
                if current < 100 or SMALL[following] >= 100:
                    break
            else:
                break
            words.append(word)
            seen = True
            i += 1
        value = total + current
    while i < n:
        word = row[i].text.lower()
        following = row[i + 1].text.lower() if i + 1 < n else ""
        if word in PERCENT_WORDS or (word == "per" and following in {"cent", "centum"}):
            unit = PERCENT
            i += 2 if word == "per" else 1
        elif word == "us" and following in USD_WORDS:
            unit = USD
            i += 2
        elif row[i].stem == "$" or word in USD_WORDS:
            unit = unit or USD
            i += 1
        elif row[i].stem == "€" or word in OTHER_MONEY_WORDS:
            unit = OTHER_MONEY
            i += 1
        elif word in {"canadian", "australian"} and following in USD_WORDS:
            unit = OTHER_MONEY
            i += 2
        elif word in {"digit", "digits", "figure", "figures"} and unit is None:
            value, unit = 10.0 ** (value - 1), DIGITS
            i += 1
        elif word == "in" and following and i + 1 < n and row[i + 1].value == 100.0:
            unit = PERCENT
            i += 2
        else:
            break
        words.append(word)
    return Token(" ".join(words), "#", NUMBER, value=value, unit=unit), i
