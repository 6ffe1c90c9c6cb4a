"""Collect the English words of the project's own texts for the prompt reader's spelling mender.

The mender changes a word that lies one slip away from a word it knows, unless the word is a real
one; `courses/simulators/prompts/real_words.txt` lists the real ones. The list is made from texts
written for this project, and from `EVERYDAY` below, so it carries the project's licence. Learners'
prompts contain slips, so they are no source.

    python tools/collect_words.py            # writes the file; the same texts give the same file
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "courses/simulators/prompts/real_words.txt"
# Texts that are proof-read before they are committed.
WRITTEN: Final = ("courses/content", "exams/content", "docs")
SHORTEST: Final = 3  # the mender leaves shorter words alone
HEADER: Final = (
    "# Real words that the spelling mender leaves alone. Made by tools/collect_words.py from the\n"
    "# lessons, items, briefs and documentation of this project; no other source.\n"
)
# Everyday words that the texts happen not to use, and that lie near the reader's vocabulary.
EVERYDAY: Final = """
abide absent acre actin aged ail aim alas alley ally alms amber ankle apron arch ash aside aunt bail
bait bake ball band bang bare bark barn baron bat bath bay bead beak beam bean bear beard beast beat
beef beer beg bell belt bench bend berry berth bet bind bird birth bite blade blame blank blast blaze
bleak bless blind blink bloom blow blunt boast boil bold bolt bond bone boot bored boring borrow boss
bounce bound bowl brain brake brakes brand brave bread breed brew bribe brick bride brief bright brisk
broad broom brush bubble bull bump bunch bundle burden bury bush cage calf calm camel candle cannon
canvas cape cargo carol carpet cart carve castle cattle cave cease cedar chain chair chalk charm chart
chase cheek cheer chess chest chew chief chill chin chord civil clap clay cliff climb cling cloak cloth
cloud clown clue coal coast coat coin comb cone cope coral cord cotton couch cough count course cousin
crab craft crane crash crawl cream creek crew crime crisp crop crow crowd crown crude crust curl curve
dairy daisy damp dance danes danish dare dawn deal dealt debt deck deed deer dense depth desert devil
dig dine dirt dish ditch dive dock doll dome donkey doom dose dove draft drag drain drama drank draw
drawn dread dream dress drift drill drink drop drove drum dry duck dull dumb dump dusk dust eagle earn
ears ease east echo edge elbow elder enemy envy equip erase exile fade faint fairy fake fame fancy farm
fast fate fault fawn fear feast feather fee fence ferry fetch fever fiber fig fight fish fist flag flame
flash flat flesh flight flock flood floor flour flow flower fluid flute foam fog fold folk fond fool
forest fork fort fought foul fox frame fresh frog frost frown fruit fry fuel fun fur gain game gang gap
garden gate gaze gear gem ghost giant girl glad glance glass gloom glory glove glow glue goat gold goose
gown grab grace grain grape grasp grass grave gravel graze great greed greek greet grey grief grim grin
grip ground grove grow growl guard guest guilt gulf gun habit hail hair half hall halt hammer harbor
hare harsh harvest haste hat hate hawk hay haze heal heap heart heat heel hell helm hen herb herd hero
hide hike hill hint hip hire hole hollow holy honey hood hook hop hope horn horse hose host hound howl
hug hull hung hunt hurry hut ice ink inn iron island ivory jail jam jar jaw jazz jewel joke jolly joy
juice jump keen kettle kick kid kidding kin king kiss kitchen kite knee knife knit knot lace lad ladder
lake lamb lame lamp lane lantern lap laugh lawn lazy leaf lean leap lease leash leather lend lick lid
lids lift limb lime limp linen lion lip load loaf loan lobby lodge loft log lone loose lord loss lost
loud love loyal luck lump lunar lunch lung mad maid major male mall mane maple march mare marsh mask
masking mass mast mate maze meadow meal meat melt menu mercy merry mess metal midst mild mill mine mint
mirror mist moan mock mold monk mood moon moral moth mouse mouth mud mule mute nail nasty nation naval
neat neck nest nod noise nose numb oak oath obey odd offend olive opera orbit organ ounce oven owe owl
paced pale palm pane panic pants parade pardon park parrot paste patch path paw peace peach peak pear
pearl pepper pet pile pill pillow pilot pin pinch pine pint pipe pity plain plan plane plank plant
plate plays plea plot plow plum poem poet poke pole pond pony pool poor porch pot pouch pound pour pray
prayer prays preach prey pride priest prince print prison prize proof proud prune pull pulse pump punch
puppet pure purse quack queen quest quick quit quiz race rack rage raid rail rain rank rare rat ray
realm rebel recipe reef reign rent rescue reward rib rice rich ride rifle ripe rise risk river road
roar roast rob robe rock rod roof roots rope rose rotten rough rows royal rub rude rug ruin rumor rural
rush rust sack sad sail sailor salt sand sauce saved scale scar scare scares scarf scent scold scout
scrap scream seal seat seed self sell shade shadow shake shame shape share shark sharp shave shed sheep
shelf shell shelter shield shine ship shirt shock shoe shook shore shout shove shovel shrink shrug shy
silk silly sing sink sip skate skill skin skirt skull slam slap slave sleep sleeve slept slice slide
slim slope slow smash smell smile smoke smooth snack snake snap sneak snow soak soap soar sock soft
soil sold sole solid song sore sorrow soul soup sour south spade spare spark spear speed spell spice
spill spin spine spit spoil spoke spoon sport spray spread squad square squeeze stab stable stack
stage stain stair stake stale stall stamp stare starve steak steal steam steel steep stem stick stiff
sting stir stock stomach stone stool storm story stove straw stream stretch strike strip stripe stroke
strong stuck stump swamp swan sweat sweep sweet swell swift swim swing sword tail tale tame tank tap
tart tear tease teeth temper tent thick thief thigh thirst thorn thread threw throat throne throw thumb
thunder tide tiger timber tin tiny tire toad toast toe tomb tone toss tough tour towel tower toy trail
train tramp trap tray tread treat tree trend tribe trick trim troop trot trout truck trunk tub tube
tune turtle twin twist urge vain valley valued van vast veil vein venue verb verse vest vine violet
voice vow wade wagon waist wake wander ware warm wash waste wave wax weak wealth weapon wear weary
weather weave web weed weep weigh weird well wheat wheel whereas whip whisper whistle wicked widow wild
wind wing wink winter wipe wisdom wise witch wolf wool worm worth wound wrap wreck wrist yard yarn
yell yield youth zeal zone involved demanding refusing treated treats
stuff cats fetches hangs lares doesn needn weren aren isn didn couldn wouldn shouldn mustn hadn
"""
_WORD: Final = re.compile(r"[a-z]+")
# Code, addresses and names of files are no English.
_NOT_PROSE: Final = re.compile(r"```.*?```|`[^`\n]*`|https?://\S+|\S*[_/\\@]\S*", re.DOTALL)


def words_of(text: str) -> Iterator[str]:
    """The lower-case words of a text, without pieces of contractions."""
    for word in re.findall(r"[a-z'’]+", _NOT_PROSE.sub(" ", text).lower()):
        plain = re.split(r"['’]", word)[0]
        if len(plain) >= SHORTEST and _WORD.fullmatch(plain):
            yield plain


def collected(root: Path) -> list[str]:
    """Every word of the written texts and of `EVERYDAY`, sorted."""
    found: set[str] = set()
    for folder in WRITTEN:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".md", ".yaml", ".yml"}:
                found.update(words_of(path.read_text(encoding="utf-8")))
    found.update(EVERYDAY.split())
    return sorted(found)


def main() -> None:
    words = collected(ROOT)
    TARGET.write_text(HEADER + "\n".join(words) + "\n", encoding="utf-8")
    print(f"{len(words)} words")


if __name__ == "__main__":
    main()
