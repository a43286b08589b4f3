"""Until when a study is kept: policy and law joined, the longest wins, and why in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from retention.rules.disposal import Kept
from retention.rules.duties import Duty, Term
from retention.rules.facts import MILESTONE_LABELS, Facts, Milestone
from retention.rules.schedule import Scheduled
from studies.rules.rejecting import restorable_until

# What a policy can say shall be done; the mildest counts where its lines differ.
_MILDEST = ("archive", "review", "anonymise", "delete")


@dataclass(frozen=True, slots=True)
class Claim:
    """One reason to keep: until when, why, and who says so. `code` is empty for the policy."""

    until: date
    why: str
    cites: str
    code: str = ""
    sure: str = ""

    @property
    def is_law(self) -> bool:
        return bool(self.code)


@dataclass(frozen=True, slots=True)
class Keeping:
    """What holds for a study. `until` is the last day; nothing is due while it waits for more."""

    until: date
    claims: tuple[Claim, ...]
    action: str
    waits_for: tuple[Milestone, ...] = ()
    contradiction: str = ""
    # Of what tells of nobody any more: no law counts, and the policy says nothing.
    is_endless: bool = False

    @property
    def longest(self) -> Claim:
        return self.claims[0]

    @property
    def floor(self) -> Claim | None:
        """What law alone would ask for; no policy and no person goes below it."""
        return next((claim for claim in self.claims if claim.is_law), None)

    @property
    def policy(self) -> Claim | None:
        return next((claim for claim in self.claims if not claim.is_law), None)

    @property
    def is_open(self) -> bool:
        return bool(self.waits_for or self.contradiction or self.is_endless)

    def is_due(self, today: date) -> bool:
        """Is its time over? The last day is still one of keeping."""
        return not self.is_open and today > self.until

    @property
    def words(self) -> str:
        """One sentence, as a page shows it."""
        if self.is_endless:
            return "Kept without an end: nobody can be told from it any more."
        if self.contradiction:
            return f"Kept until somebody has looked: {self.contradiction}."
        reason = f"{self.longest.why} ({self.longest.cites})"
        if self.waits_for:
            awaited = " and ".join(MILESTONE_LABELS[one] for one in self.waits_for)
            return f"Kept until {awaited}, and at least until {self.until.isoformat()}: {reason}."
        return f"Kept until {self.until.isoformat()}: {reason}."


def keeping_of(facts: Facts, *, duties: Sequence[Duty], schedule: Sequence[Scheduled]) -> Keeping:
    """Join all that asks for the study to be kept. Raises ValueError where nothing does."""
    claims = [_of_law(duty, facts) for duty in duties if duty.concerns(facts)]
    claims += [_of_policy(line, facts) for line in schedule]
    found = _longest_first(claims)
    waits = dict.fromkeys(one for line in schedule for one in line.waits_for(facts))
    if not schedule:
        raise ValueError("no line of the policy speaks of studies")
    if not found:
        found = (Claim(facts.received_on, "nothing counts yet", "privacy policy"),)
    return Keeping(
        until=found[0].until, claims=found, action=_mildest(schedule),
        waits_for=tuple(waits), contradiction=facts.contradiction,
    )  # fmt: skip


def keeping_in_archive(facts: Facts, *, duties: Sequence[Duty], archived_on: date) -> Keeping:
    """What lies in the legal archive is kept for law alone: the policy's own time is over."""
    found = _longest_first(_of_law(duty, facts) for duty in duties if duty.concerns(facts))
    if not found:
        found = (Claim(archived_on, "no law asks for it any more", "privacy policy"),)
    return Keeping(
        until=found[0].until, claims=found, action="delete",
        contradiction=facts.contradiction,
    )  # fmt: skip


def keeping_of_rejected(facts: Facts, *, duties: Sequence[Duty], days: int) -> Keeping:
    """What was rejected as wrongly sent is kept while it can be restored, and no longer: the
    policy's other times are of what belongs here.

    Law counts for what is a record of its patient, but not for somebody else's images, nor for a
    second copy. What it asks for beyond that time goes to the archive. What contradicts itself is
    hidden already, and two people look at it before it goes.
    """
    assert facts.rejected is not None
    on = facts.rejected.on
    why = f"{days} days from its rejection on {on.isoformat()}"
    own = Claim(restorable_until(on, days), why, "privacy policy")
    binding = (
        [duty for duty in duties if duty.concerns(facts)] if facts.rejected.stays_record else []
    )
    law = [claim for duty in binding if (claim := _of_law(duty, facts))]
    found = _longest_first([own, *law])
    return Keeping(until=found[0].until, claims=found, action="archive")


def keeping_without_a_person(facts: Facts, schedule: Sequence[Scheduled]) -> Keeping:
    """Of a study that was made anonymous only its policy speaks, if anything does."""
    if schedule:
        return keeping_of(facts, duties=(), schedule=schedule)
    claim = Claim(facts.received_on, "it was made anonymous", "privacy policy")
    return Keeping(facts.received_on, (claim,), "review", is_endless=True)


def why_not_due(keeping: Keeping | None, today: date) -> Kept | None:
    """Why a study is not to be disposed of by its schedule; None: it is."""
    return None if keeping is not None and keeping.is_due(today) else Kept.NOT_DUE


def why_not_erased(keeping: Keeping | None, today: date) -> Kept | None:
    """Why a study stays although its person asks for erasure; None: it goes.

    A duty of law counts (GDPR Art. 17(3)(b)); what the policy would keep it for does not.
    """
    if keeping is None or keeping.contradiction:
        return Kept.UNSETTLED
    if keeping.floor is not None and today <= keeping.floor.until:
        return Kept.LAW
    return None


def _longest_first(claims: Iterable[Claim | None]) -> tuple[Claim, ...]:
    """Of two that end on the same day the law's is named; what says the same is said once."""
    once = dict.fromkeys(claim for claim in claims if claim)
    return tuple(sorted(once, key=lambda claim: (claim.until, claim.is_law), reverse=True))


def _mildest(schedule: Sequence[Scheduled]) -> str:
    said = {line.action for line in schedule}
    return next(action for action in _MILDEST if action in said)


def _of_law(duty: Duty, facts: Facts) -> Claim | None:
    ends = [(until, term) for term in duty.terms if (until := term.until(facts))]
    if not ends:
        return None
    until, term = max(ends, key=lambda pair: pair[0])
    return Claim(until, _reason(term, facts), duty.cites, duty.code, duty.sure)


def _of_policy(line: Scheduled, facts: Facts) -> Claim | None:
    until = line.until(facts)
    if until is None:
        return None
    noted = facts.milestones.get(line.and_until)
    if noted == until:
        return Claim(until, MILESTONE_LABELS[Milestone(line.and_until)], "privacy policy")
    why = f"{line.keep.words} from {_START_WORDS[line.trigger](facts)}"
    return Claim(until, why, "privacy policy")


def _examined(facts: Facts) -> str:
    if facts.examined_on is None:
        return f"the receipt on {facts.received_on.isoformat()}, for no examination is dated"
    return f"the examination on {facts.examined_on.isoformat()}"


def _last_seen(facts: Facts) -> str:
    if facts.last_contact == facts.examination:
        return _examined(facts)
    return f"the last examination here on {facts.last_contact.isoformat()}"


def _received(facts: Facts) -> str:
    return f"the receipt on {facts.received_on.isoformat()}"


def _when(milestone: Milestone) -> Callable[[Facts], str]:
    return lambda _: f"when {MILESTONE_LABELS[milestone]}"


_START_WORDS: dict[str, Callable[[Facts], str]] = {
    "examination": _examined,
    "last-contact": _last_seen,
    "created": _received,
    "majority": lambda facts: f"the age of 18, {_born(facts)}",
    "death": lambda facts: f"the death on {facts.died_on}",
    "account-closed": _received,
    **{one.value: _when(one) for one in Milestone},
}


def _born(facts: Facts) -> str:
    if facts.born_on is None:
        return "counted as newborn, for no birth date is given"
    return f"born {facts.born_on.year}"


def _reason(term: Term, facts: Facts) -> str:
    if term.keep is None:
        if "seventeen-at-end" in term.when:
            return f"{_born(facts)}, 17 when last seen"
        return f"{_born(facts)}, a minor at the examination"
    why = f"{term.keep.words} from {_START_WORDS[term.start](facts)}"
    if "no-later-mammogram" in term.when:
        why += ", with no later mammogram here"
    return why
