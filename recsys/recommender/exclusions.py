"""What a text says is left out: "sin huevo", "no nuts", "dairy-free", "que no lleve cebolla". Floor 3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recsys.recommender.lexicon import Lexicon, Mention
from recsys.recommender.text import ALL_STOP_WORDS, Token

TRIGGER_WORDS = """
sin no ni excepto salvo menos evitar evitando evita evite evito odio odia odiamos detesto quitando cero alergia
alergico alergica alergicos alergicas intolerante intolerantes intolerancia prohibido prohibida without not non nor
except excluding exclude avoid avoiding avoids minus sans omit omitting skip skipping hate hates dislike dislikes
allergic intolerant don't doesn't dont doesnt can't cannot cant won't isn't aren't lacking zero
"""
LONG_TRIGGERS = (
    ("nada", "de"), ("libre", "de"), ("libres", "de"), ("free", "of"), ("free", "from"), ("leave", "out"),
    ("hold", "the"), ("instead", "of"), ("rather", "than"), ("other", "than"), ("en", "vez", "de"),
    ("en", "lugar", "de"), ("allergy", "to"), ("allergies", "to"), ("soy", "alergico"), ("soy", "alergica"),
    ("soy", "intolerante"),
)  # fmt: skip
# What stands between "no" and the food: "no [me gusta el] pescado", "don't [have any] eggs".
SKIPPED_WORDS = """
el la los las lo un una unos unas de del al a me le les nos te se lleve lleven lleva llevan llevar tenga tengan tiene
tienen tener tengo contenga contengan contiene contienen contener use usen usar usando usa incluya incluyan incluye
haya hay quiero queremos quiera puedo puede podemos como come comemos comer coma coman gusta gustan soporto nada
ningun ninguna tipo clase tolero tolera toleramos pongas ponga poner anadir anadido anadida anadidos sea sean es son
productos derivados alimentos con trazas mas any the to for of have has having contain contains containing use uses
using include includes including added like likes eat eats eating want wants need needs be is are stand tolerate
tolerates kind sort type a an more products with do does it them food foods encender prender calentar turn turning on
"""
JOINT_WORDS = "y e o u ni and or nor & , / no sin without tampoco"
SUFFIX_WORDS = "free allergy allergies intolerance intolerant"
# Of "gluten and dairy free" both are left out; of "chocolate and dairy free" only the second.
OFTEN_AVOIDED_CONCEPTS = """
gluten dairy egg nut tree_nut peanut soy sugar lactose wheat milk grain fat salt alcohol sesame shellfish fish meat
"""
NOT_FOOD_WORDS = """
tiempo ganas prisa idea ideas problema problemas time fuss hassle stress effort need problem esfuerzo complicaciones
only solo too muy very demasiado mucho mucha muchos muchas much many bother bueno mal good
"""
TRIGGERS, SKIPPED = frozenset(TRIGGER_WORDS.split()), frozenset(SKIPPED_WORDS.split())
JOINTS, SUFFIXES = frozenset(JOINT_WORDS.split()), frozenset(SUFFIX_WORDS.split())
OFTEN_AVOIDED = frozenset(OFTEN_AVOIDED_CONCEPTS.split())
NOT_FOOD = ALL_STOP_WORDS | frozenset(NOT_FOOD_WORDS.split())
WORDS_OF_EXCLUSION = TRIGGERS | SKIPPED | SUFFIXES | {word for trigger in LONG_TRIGGERS for word in trigger}
TECHNICAL_KINDS = frozenset({"technique", "equipment"})
LESS = "less"


@dataclass
class Exclusions:
    """What is left out. concepts: of food; words: foods the lexicon does not know; techniques: ways and tools.

    covered: the places of all tokens that say so.
    """

    concepts: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    techniques: list[str] = field(default_factory=list)
    covered: set[int] = field(default_factory=set)

    def add(self, mention: Mention, lexicon: Lexicon) -> None:
        is_technical = lexicon.concepts[mention.concept].kind in TECHNICAL_KINDS
        (self.techniques if is_technical else self.concepts).append(mention.concept)
        self.covered |= set(range(mention.start, mention.end))


def find_exclusions(tokens: Sequence[Token], mentions: Sequence[Mention], lexicon: Lexicon) -> Exclusions:
    """Return what the text leaves out. mentions: the concepts found in the tokens."""
    found = Exclusions()
    mentions = [mention for mention in mentions if lexicon.concepts[mention.concept].kind != "filler"]
    starts = {mention.start: mention for mention in mentions}
    named = {place for mention in mentions for place in range(mention.start, mention.end)}
    place = 0
    while place < len(tokens):
        diet = starts.get(place)
        if diet and lexicon.concepts[diet.concept].kind == "diet":  # "sin gluten [ni huevo]"
            place = follow_list(tokens, diet.end, starts, lexicon, found, is_open=False) or diet.end
            continue
        length = 0 if place in named else trigger_length(tokens, place)
        end = follow_list(tokens, place + length, starts, lexicon, found) if length else None
        if end is not None:
            found.covered |= set(range(place, end))
        place = end or place + max(length, 1)
    add_suffixed(tokens, mentions, lexicon, found)
    add_lessened(tokens, lexicon, found)
    return found


def trigger_length(tokens: Sequence[Token], place: int) -> int:
    """Return how many tokens say "without" here; 0 if none does."""
    rest = tuple(token.word for token in tokens[place : place + 3])
    for words in LONG_TRIGGERS:
        if rest[: len(words)] == words:
            return len(words)
    if rest[0] == "menos" and rest[1:2] == ("de",):  # "menos de 200 calorías"
        return 0
    return int(rest[0] in TRIGGERS)


def follow_list(
    tokens: Sequence[Token],
    place: int,
    starts: Mapping[int, Mention],
    lexicon: Lexicon,
    found: Exclusions,
    *,
    is_open: bool = True,
) -> int | None:
    """Take up the foods that are listed from `place` on; return where the list ends, None if there is none.

    is_open: whether a food may stand there at once, and not only after "or" and the like.
    """
    end: int | None = None
    is_first = is_open
    while place < len(tokens):
        word = tokens[place].word
        if place in starts and is_open:
            found.add(starts[place], lexicon)
            place = end = starts[place].end
            is_open = False
        elif not is_open and (word in JOINTS):
            place, is_open = place + 1, True
        elif is_open and word in JOINTS and not is_first:
            place += 1
        elif is_open and word in SKIPPED and (is_first or word != "con"):
            place += 1
            continue
        elif is_open and is_first and is_unknown_food(tokens[place]):
            found.words.append(word)
            place = end = place + 1
            is_open = False
        else:
            break
        is_first = False
    return end


def is_unknown_food(token: Token) -> bool:
    return token.word.isalpha() and token.word not in NOT_FOOD


def add_suffixed(tokens: Sequence[Token], mentions: Sequence[Mention], lexicon: Lexicon, found: Exclusions) -> None:
    """Add what "-free", "allergy" and "intolerant" follow; "gluten free" may be the name of a diet already."""
    for number, mention in enumerate(mentions):
        if tokens[mention.end - 1].word == "free" and lexicon.concepts[mention.concept].kind == "diet":
            add_joined_before(tokens, mentions[:number], mention.start, lexicon, found)
        if mention.end < len(tokens) and tokens[mention.end].word in SUFFIXES:
            if tokens[mention.end + 1 : mention.end + 2] and tokens[mention.end + 1].word == "range":
                continue
            found.add(mention, lexicon)
            found.covered.add(mention.end)
            add_joined_before(tokens, mentions[:number], mention.start, lexicon, found)


def add_joined_before(
    tokens: Sequence[Token], mentions: Sequence[Mention], start: int, lexicon: Lexicon, found: Exclusions
) -> None:
    for mention in reversed(mentions):
        between = range(mention.end, start)
        is_joined = bool(between) and all(tokens[place].word in JOINTS for place in between)
        if not is_joined or mention.concept not in OFTEN_AVOIDED:
            return
        found.add(mention, lexicon)
        found.covered |= set(between)
        start = mention.start


def add_lessened(tokens: Sequence[Token], lexicon: Lexicon, found: Exclusions) -> None:
    """Add what "eggless" and "nondairy" are made without."""
    for place, token in enumerate(tokens):
        stem = token.word.removesuffix(LESS) if token.word.endswith(LESS) else token.word.removeprefix("non")
        if stem not in (token.word, "") and len(stem) > 2:
            for mention in lexicon.mentions([stem], ["en"]):
                if lexicon.concepts[mention.concept].kind == "ingredient":
                    found.concepts.append(mention.concept)
                    found.covered.add(place)
