"""What a request asks for: its language, foods and dishes, what it excludes and limits. Floor 3; pure."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import islice

import msgspec

from recsys.recommender.contents import by_preference
from recsys.recommender.exclusions import SUFFIXES, TRIGGERS, WORDS_OF_EXCLUSION, find_exclusions
from recsys.recommender.lexical import LexicalIndex, Unit
from recsys.recommender.lexicon import Lexicon, Mention
from recsys.recommender.limits import Limits, find_limits
from recsys.recommender.spelling import Speller
from recsys.recommender.text import ALL_STOP_WORDS, Token, spanish_votes, tokens

# A request word such as "receta" tells more of the language than a word of the kitchen does, which tells up to 1.
STOP_WORD_VOTE = 2.0
# "pizza" is asked in Spanish, until something speaks for English: the service's users are Spanish.
SPANISH_PRIOR = 0.5
SURE_LEAN = 2.0
NEGATORS = TRIGGERS | SUFFIXES
SPELT_RIGHT = ALL_STOP_WORDS | WORDS_OF_EXCLUSION
ANY_RECIPE = {"es": "recetas", "en": "recipes"}
# A diet filters, and a filler says no more than that one wants to eat: they are looked up if there is nothing else.
SAID_BESIDE = frozenset({"diet", "filler"})
# What is asked for must be in the recipe, how it should be may be.
WEIGHT_OF_KIND = {"character": 0.3, "technique": 0.3, "equipment": 0.3, "unit": 0.3, "cuisine": 0.8}
UNKNOWN_WEIGHT = 0.2
MEANING_WORDS_MAX = 5  # embedding takes 2 to 3 ms a word: with more, one request in a hundred would take 25 ms


@dataclass(frozen=True)
class Knowledge:
    """What a request is understood by."""

    lexicon: Lexicon
    lexical: LexicalIndex
    speller: Speller

    def knows(self, word: str) -> bool:
        """Whether the word is surely spelt right; one that only a recipe has may be a recipe's mistake."""
        return word in SPELT_RIGHT or self.lexicon.has_word(word)

    def vote(self, word: str) -> float:
        """Return what the word tells of the language: from -1, English, to 1, Spanish."""
        return self.lexical.spanish_vote(word) or self.lexicon.spanish_vote(word)


class FoundConcept(msgspec.Struct, frozen=True, kw_only=True):
    """A concept of the lexicon in the request. text: the words for it, as written."""

    concept: str
    kind: str
    text: str


class Understanding(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the search sees it.

    lean: of the language, from -1, surely English, to 1, Spanish. concepts: what is asked for. excluded: concepts that
    no answer may contain, diets' included; excluded_words: foods unknown to the lexicon, likewise. avoided: techniques
    and tools that are not wanted. corrections: misspelt → meant. words: those asked for that name no known concept.
    meaning: the text to embed, in an answer "" if the words sufficed. units: concepts and words, as they are looked up.
    """

    language: str
    lean: float
    concepts: list[FoundConcept]
    excluded: list[str]
    excluded_words: list[str]
    avoided: list[str]
    diets: list[str]
    limits: Limits
    corrections: dict[str, str]
    words: list[str]
    meaning: str
    units: list[Unit]


def understand(text: str, knowledge: Knowledge) -> Understanding:
    """Return what the text asks for. About 0.1 ms; a misspelt word adds as much."""
    lexicon = knowledge.lexicon
    row, corrections = corrected(tokens(text), text, knowledge)
    limits, limiting = find_limits(row)
    lean = spanish_lean(row, text, knowledge)
    language = "es" if lean >= 0 else "en"
    languages = by_preference(language)
    mentions = lexicon.mentions([token.word for token in row], languages, unqualified=True)
    exclusions = find_exclusions(row, mentions, lexicon)
    covered = limiting | exclusions.covered
    wanted = [mention for mention in mentions if is_wanted(mention, row, covered)]
    diets = [mention.concept for mention in wanted if lexicon.concepts[mention.concept].kind == "diet"]
    units, leftover = units_of(row, wanted, covered, lexicon, languages)
    left_out = [concept for diet in diets for concept in lexicon.concepts[diet].contains]
    return Understanding(
        language=language,
        lean=lean,
        concepts=[
            FoundConcept(
                concept=mention.concept,
                kind=lexicon.concepts[mention.concept].kind,
                text=" ".join(token.surface for token in row[mention.start : mention.end]),
            )
            for mention in wanted
        ],
        excluded=list(dict.fromkeys([*exclusions.concepts, *left_out])),
        excluded_words=exclusions.words,
        avoided=exclusions.techniques,
        diets=diets,
        limits=limits,
        corrections=corrections,
        words=leftover,
        meaning=meaning_of(row, covered | unsaid_places(row, wanted, lexicon)) or ANY_RECIPE[language],
        units=units,
    )


def corrected(row: Sequence[Token], text: str, knowledge: Knowledge) -> tuple[list[Token], dict[str, str]]:
    """Return the tokens with misspelt words mended, and which these are. Those spelt right tell the language."""
    known = [token for token in row if knowledge.knows(token.word)]
    lean = spanish_lean(known, text, knowledge) if len(known) < len(row) else 0.0
    mended: list[Token] = []
    corrections: dict[str, str] = {}
    for token in row:
        meant = knowledge.lexicon.respelt(token.word)
        if token.is_word and not knowledge.knows(token.word):
            meant = knowledge.speller.corrected(token.word, lambda word: max(0.0, -lean * knowledge.vote(word)))
            meant = None if meant == token.word else meant
        if meant:
            corrections[token.surface] = meant
        mended.append(Token(meant, meant) if meant else token)
    return mended, corrections


def spanish_lean(row: Sequence[Token], text: str, knowledge: Knowledge) -> float:
    """Return the vote of all words on the language, from -1, English, to 1, Spanish."""
    votes = sum(knowledge.vote(word) for word in {token.word for token in row if is_content(token)})
    return max(-1.0, min(1.0, (SPANISH_PRIOR + votes + STOP_WORD_VOTE * spanish_votes(text)) / SURE_LEAN))


def is_wanted(mention: Mention, row: Sequence[Token], covered: Set[int]) -> bool:
    """Whether the mention is asked for, and not excluded, a limit or a mere "dish"."""
    places = range(mention.start, mention.end)
    return covered.isdisjoint(places) and any(row[place].word not in ALL_STOP_WORDS for place in places)


def negative_places(row: Sequence[Token], mentions: Sequence[Mention]) -> set[int]:
    """Return the places of the concepts that are named by what they lack, such as "egg-free"."""
    return {
        place
        for mention in mentions
        if any(row[place].word in NEGATORS for place in range(mention.start, mention.end))
        for place in range(mention.start, mention.end)
    }


def units_of(
    row: Sequence[Token], wanted: Sequence[Mention], covered: Set[int], lexicon: Lexicon, languages: Sequence[str]
) -> tuple[list[Unit], list[str]]:
    """Return what to look up, and of it the words that no concept has."""
    named = [(mention.concept, range(mention.start, mention.end)) for mention in wanted]
    taken = covered | {place for _, places in named for place in places}
    # "Sin horno" is looked up as a concept alone: its words are those of what it is not.
    positive = set(range(len(row))) - negative_places(row, wanted)
    by = lexicon, languages
    leftover = [token.word for place, token in enumerate(row) if place not in taken and is_content(token)]
    units = [
        unit_of(tuple(row[place].word for place in places if place in positive and is_content(row[place])), name, *by)
        for name, places in named
    ]
    foods = [
        unit for unit, (name, _) in zip(units, named, strict=True) if lexicon.concepts[name].kind not in SAID_BESIDE
    ]
    asked = [*foods, *(Unit((word,), weight=UNKNOWN_WEIGHT if foods else 1.0) for word in dict.fromkeys(leftover))]
    beside = [unit for unit in units if unit.evoked or lexicon.concepts[unit.concept].kind == "diet"]
    return asked or beside, leftover


def unit_of(words: tuple[str, ...], concept: str, lexicon: Lexicon, languages: Sequence[str]) -> Unit:
    """Return what to look up for a concept: of a dish also its parts, for recipes that name it otherwise.

    What only evokes foods is looked up as a concept alone: its words are in any recipe's steps, "serve warm".
    """
    kind, evoked = lexicon.concepts[concept].kind, tuple(lexicon.concepts[concept].evokes)
    weight = WEIGHT_OF_KIND.get(kind, 1.0)
    if evoked:
        return Unit((), "" if kind == "filler" else concept, evoked=evoked, weight=weight)
    if kind != "dish" or len(words) == 1:
        return Unit(words, concept, weight=weight)
    named = {word: lexicon.mentions([word], languages) for word in words}
    parts = tuple(Unit((word,), found[0].concept if found else "") for word, found in named.items())
    return Unit(words, concept, parts, weight=weight)


def unsaid_places(row: Sequence[Token], mentions: Sequence[Mention], lexicon: Lexicon) -> set[int]:
    """Return the places of what blurs a request's meaning: fillers, and concepts named by what they lack."""
    fillers = (mention for mention in mentions if lexicon.concepts[mention.concept].kind == "filler")
    return negative_places(row, mentions) | {
        place for mention in fillers for place in range(mention.start, mention.end)
    }


def meaning_of(row: Sequence[Token], covered: Set[int]) -> str:
    """Return the text that stands for the request's meaning: its first content words.

    What is excluded must not be in it: to a model "sin huevo" means eggs.
    """
    content = (token.surface for place, token in enumerate(row) if place not in covered and is_content(token))
    return " ".join(islice(content, MEANING_WORDS_MAX))


def is_content(token: Token) -> bool:
    return token.is_word and not token.word.isdigit() and token.word not in ALL_STOP_WORDS
