"""What a key's first append recorded, for the answer to its repeats. Floor 3; imports events only."""

from events.event import Appended, RecordedEvent
from events.store import EventStore


async def recorded_events(store: EventStore, appended: Appended) -> list[RecordedEvent]:
    """Return the events of the append."""
    return await store.read_all(appended.first_position - 1, appended.position - appended.first_position + 1)
