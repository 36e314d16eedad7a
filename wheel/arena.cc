#include "wheel/arena.h"

namespace carillon {

EntryRef Arena::allocate() {
  EntryRef ref = free_;
  if (ref != kNoEntry) {
    free_ = (*this)[ref].next;
  } else {
    CARILLON_CHECK(end_ < kNoEntry);
    ref = end_++;
    if ((ref & kChunkMask) == 0) {
      chunks_.push_back(static_cast<Entry*>(memory_.take()));
    }
  }
  Entry& entry = (*this)[ref];
  entry = Entry{};
  entry.place = static_cast<std::uint8_t>(Place::nowhere) & 7;
  ++used_;
  return ref;
}

void Arena::free(EntryRef ref) {
  Entry& entry = (*this)[ref];
  CARILLON_CHECK(entry.where() == Place::nowhere && entry.state != kFreed);
  entry.state = kFreed & 7;
  entry.next = free_;
  free_ = ref;
  --used_;
}

ListId Lists::make() {
  if (dropped_.empty()) {
    heads_.emplace_back();
    return static_cast<ListId>(heads_.size() - 1);
  }
  const ListId list = dropped_.back();
  dropped_.pop_back();
  return list;
}

void Lists::drop(ListId list) {
  CARILLON_CHECK(empty(list));
  dropped_.push_back(list);
}

void Lists::push_back(ListId list, EntryRef ref, Place place) {
  Entry& entry = arena_[ref];
  CARILLON_CHECK(entry.where() == Place::nowhere);
  Head& head = heads_[list];
  entry.place = static_cast<std::uint8_t>(place) & 7;
  entry.next = list | kHeadBit;
  if (head.last == kNoEntry) {
    entry.prev = list | kHeadBit;
    head.first = ref;
  } else {
    entry.prev = head.last;
    arena_[head.last].next = ref;
  }
  head.last = ref;
}

bool Lists::unlink(EntryRef ref, ListId* list) {
  Entry& entry = arena_[ref];
  if (entry.where() == Place::nowhere) return false;
  entry.place = static_cast<std::uint8_t>(Place::nowhere) & 7;
  const bool is_first = (entry.prev & kHeadBit) != 0;
  const bool is_last = (entry.next & kHeadBit) != 0;
  if (is_first) {
    heads_[entry.prev & ~kHeadBit].first = is_last ? kNoEntry : EntryRef{entry.next};
  } else {
    arena_[entry.prev].next = entry.next;
  }
  if (is_last) {
    heads_[entry.next & ~kHeadBit].last = is_first ? kNoEntry : EntryRef{entry.prev};
  } else {
    arena_[entry.next].prev = entry.prev;
  }
  if (!is_first || !is_last) return false;
  if (list != nullptr) *list = entry.prev & ~kHeadBit;
  return true;
}

void Lists::splice(ListId to, ListId from) {
  Head& source = heads_[from];
  if (source.first == kNoEntry) return;
  Head& target = heads_[to];
  arena_[source.last].next = to | kHeadBit;
  if (target.last == kNoEntry) {
    arena_[source.first].prev = to | kHeadBit;
    target.first = source.first;
  } else {
    arena_[source.first].prev = target.last;
    arena_[target.last].next = source.first;
  }
  target.last = source.last;
  source = Head{};
}

}  // namespace carillon
