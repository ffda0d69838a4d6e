// Threads that fill batches. A batch is a ticket with numbered slots; whoever is free takes the next slot, and since every draw has an
// address, who takes which changes nothing.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>

#include "satchel/base/error.h"
#include "satchel/base/threads.h"
#include "satchel/data/buffers.h"
#include "satchel/data/data.h"

namespace satchel::data {
namespace {

using Order = std::shared_ptr<const std::vector<Place>>;

size_t bytes_of(image::Size size) { return static_cast<size_t>(size.width) * static_cast<size_t>(size.height) * 3; }

/// One batch on its way. Slots are disjoint, so that threads share only the counters.
struct Ticket {
  int64_t epoch = 0, index = 0, first = 0, count = 0;
  double progress = 0;
  image::Size size;               // of its pictures
  Order order;                    // of the epoch; this batch is first … first + count − 1
  std::vector<int64_t> upcoming;  // reader indices of the batch after this one
  std::shared_ptr<Buffer> pixels;
  std::vector<std::exception_ptr> thrown;  // by slot
  std::vector<augment::Trace> traces;      // by slot, when recorded
  std::vector<augment::Trace const*> replayed;
  std::atomic<int64_t> next{0}, done{0};
  std::atomic<bool> cancelled{false};
  std::mutex mutex;
  std::condition_variable finished;
};

}  // namespace

struct Loader::State {
  State(Dataset d, const augment::Pipeline& p, const augment::Mixer& m, Sampler s, LoaderOptions o)
      : dataset(std::move(d)), pipeline(p), mixer(m), sampler(std::move(s)), options(o), per_epoch(sampler.batches(options.batch)) {}
  ~State();

  // What the caller's thread does.
  image::Size find_size() const;
  image::Size size_of(int64_t item) const;
  Order order_of(int64_t at_epoch);
  std::shared_ptr<Ticket> schedule();
  void finish(Ticket& ticket);
  void cancel();
  Batch collect(Ticket& ticket);
  augment::MixPlan mix(const Ticket& ticket, const Batch& batch, const std::vector<int64_t>& kept) const;
  augment::ErasePlan erase(const Ticket& ticket, const Batch& batch, const std::vector<int64_t>& kept) const;

  // What any thread does.
  image::Picture open(int64_t item) const;
  void work(Ticket& ticket);
  void fill(Ticket& ticket, int64_t slot);

  const Dataset dataset;
  const augment::Pipeline& pipeline;
  const augment::Mixer& mixer;
  const Sampler sampler;
  const LoaderOptions options;
  const int64_t per_epoch;
  image::Size size;  // the largest
  TraceAt replay;
  std::map<int64_t, Order> orders;
  int64_t epoch = 0, index = 0;  // the next to be scheduled
  std::deque<std::shared_ptr<Ticket>> scheduled;
  std::shared_ptr<Buffers> buffers;
  std::atomic<int> slow_reads{0};  // how many more slots announce a picture of the next batch
  std::unique_ptr<Workers> workers;
};

// ---- filling slots ------------------------------------------------------------------------------------------------------

image::Picture Loader::State::open(int64_t item) const {
  image::Picture picture = dataset.reader->open(item);
  if (options.accept_partial) picture.set_partial(image::Picture::Partial::accept);
  if (options.apply_exif) picture.apply_orientation();
  return picture;
}

void Loader::State::fill(Ticket& ticket, int64_t slot) {
  const Place place = (*ticket.order)[static_cast<size_t>(ticket.first + slot)];
  const int64_t item = dataset.items[static_cast<size_t>(place.item)];
  // Files that come from memory need no announcement, which costs three system calls; slow ones are announced a batch ahead.
  if (slow_reads.load(std::memory_order_relaxed) > 0 && slot < static_cast<int64_t>(ticket.upcoming.size())) {
    slow_reads.fetch_sub(1, std::memory_order_relaxed);
    dataset.reader->will_need(ticket.upcoming[static_cast<size_t>(slot)]);
  }
  const auto begin = std::chrono::steady_clock::now();
  image::Picture picture = open(item);
  if (std::chrono::steady_clock::now() - begin > std::chrono::microseconds(500)) slow_reads.store(64, std::memory_order_relaxed);

  const augment::Trace* recorded = replay ? replay(ticket.epoch, ticket.first + slot, picture.name()) : nullptr;
  if (recorded) {
    ticket.replayed[static_cast<size_t>(slot)] = recorded;
    pipeline.replay(picture, *recorded, ticket.progress);
    if (options.record) ticket.traces[static_cast<size_t>(slot)].steps = recorded->steps;
  } else {
    const Address at{
        .seed = options.seed, .epoch = static_cast<uint32_t>(ticket.epoch), .sample = static_cast<uint64_t>(item), .copy = place.copy};
    pipeline.run(picture, at, ticket.progress, options.record ? &ticket.traces[static_cast<size_t>(slot)] : nullptr);
  }
  check(picture.size() == ticket.size, Kind::usage,
        "{}: comes out of the augment list as {}×{}, others as {}×{}; end the list with center_crop or random_resized_crop", picture.name(),
        picture.size().width, picture.size().height, ticket.size.width, ticket.size.height);
  picture.render(ticket.pixels->data() + static_cast<size_t>(slot) * bytes_of(ticket.size));
}

void Loader::State::work(Ticket& ticket) {
  for (;;) {
    const int64_t slot = ticket.next.fetch_add(1);
    if (slot >= ticket.count) return;
    if (!ticket.cancelled) {
      try {
        fill(ticket, slot);
      } catch (...) {
        ticket.thrown[static_cast<size_t>(slot)] = std::current_exception();
      }
    }
    if (ticket.done.fetch_add(1) + 1 == ticket.count) {
      std::lock_guard lock(ticket.mutex);
      ticket.finished.notify_all();
    }
  }
}

// ---- scheduling -----------------------------------------------------------------------------------------------------------

Order Loader::State::order_of(int64_t at_epoch) {
  Order& order = orders[at_epoch];
  if (!order) order = std::make_shared<const std::vector<Place>>(sampler.order(at_epoch));
  return order;
}

std::shared_ptr<Ticket> Loader::State::schedule() {
  auto ticket = std::make_shared<Ticket>();
  ticket->epoch = epoch, ticket->index = index, ticket->first = index * options.batch;
  ticket->order = order_of(epoch);
  ticket->count = std::min(options.batch, static_cast<int64_t>(ticket->order->size()) - ticket->first);
  const double total = static_cast<double>(std::max<int64_t>(1, options.epochs * per_epoch));
  ticket->progress = std::min(1.0, static_cast<double>(epoch * per_epoch + index) / total);
  ticket->size = pipeline.output(ticket->progress).value_or(size);
  ticket->thrown.resize(static_cast<size_t>(ticket->count));
  ticket->replayed.resize(static_cast<size_t>(ticket->count));
  if (options.record) ticket->traces.resize(static_cast<size_t>(ticket->count));
  ticket->pixels = buffers->lend();

  if (++index == per_epoch) ++epoch, index = 0;
  orders.erase(orders.begin(), orders.lower_bound(ticket->epoch));
  const Order order = order_of(epoch);
  const int64_t first = index * options.batch, end = std::min(first + options.batch, static_cast<int64_t>(order->size()));
  for (int64_t i = first; i < end; ++i)
    ticket->upcoming.push_back(dataset.items[static_cast<size_t>((*order)[static_cast<size_t>(i)].item)]);

  for (int i = 0; workers && i < std::min<int64_t>(workers->size(), ticket->count); ++i) workers->submit([this, ticket] { work(*ticket); });
  return ticket;
}

void Loader::State::finish(Ticket& ticket) {
  work(ticket);
  std::unique_lock lock(ticket.mutex);
  ticket.finished.wait(lock, [&] { return ticket.done == ticket.count; });
}

void Loader::State::cancel() {
  if (workers) workers->clear();
  for (const auto& ticket : scheduled) ticket->cancelled = true;
  for (const auto& ticket : scheduled) finish(*ticket);
  if (!scheduled.empty()) epoch = scheduled.front()->epoch, index = scheduled.front()->index;
  scheduled.clear();
}

Loader::State::~State() { cancel(); }

// ---- handing over ---------------------------------------------------------------------------------------------------------

augment::MixPlan Loader::State::mix(const Ticket& ticket, const Batch& batch, const std::vector<int64_t>& kept) const {
  const Address at{.seed = options.seed, .epoch = static_cast<uint32_t>(ticket.epoch), .sample = static_cast<uint64_t>(ticket.first)};
  augment::MixPlan plan = mixer.plan(batch.count, batch.size, at, options.epochs);
  for (size_t k = 0; k < kept.size(); ++k) {
    const augment::Trace* recorded = ticket.replayed[static_cast<size_t>(kept[k])];
    if (!recorded || (plan.empty() && !recorded->mix)) continue;
    for (size_t i = plan.size(); i < kept.size(); ++i) plan.push_back({.partner = static_cast<int32_t>(i)});
    const augment::MixRow row = recorded->mix.value_or(augment::MixRow{.partner = static_cast<int32_t>(k)});
    check(row.partner >= 0 && row.partner < batch.count && row.lambda >= 0 && row.lambda <= 1 && row.x >= 0 && row.y >= 0 &&
              row.width >= 0 && row.height >= 0 && row.width <= batch.size.width - row.x && row.height <= batch.size.height - row.y,
          Kind::data, "{}: the recorded mix does not fit a batch of {} pictures of {}×{}", dataset.reader->name(batch.items[k]),
          batch.count, batch.size.width, batch.size.height);
    plan[k] = row;
  }
  return plan;
}

augment::ErasePlan Loader::State::erase(const Ticket& ticket, const Batch& batch, const std::vector<int64_t>& kept) const {
  const Address at{.seed = options.seed, .epoch = static_cast<uint32_t>(ticket.epoch), .sample = static_cast<uint64_t>(ticket.first)};
  augment::ErasePlan plan = mixer.erase(batch.count, batch.size, at);
  for (size_t k = 0; k < kept.size(); ++k) {
    const augment::Trace* recorded = ticket.replayed[static_cast<size_t>(kept[k])];
    if (!recorded || (plan.empty() && recorded->erased.empty())) continue;
    plan.resize(kept.size());
    for (const augment::EraseBox& box : recorded->erased)
      check(box.x >= 0 && box.y >= 0 && box.width >= 0 && box.height >= 0 && box.width <= batch.size.width - box.x &&
                box.height <= batch.size.height - box.y,
            Kind::data, "{}: a recorded box to erase does not lie in a picture of {}×{}", dataset.reader->name(batch.items[k]),
            batch.size.width, batch.size.height);
    plan[k] = recorded->erased;
  }
  return plan;
}

Batch Loader::State::collect(Ticket& ticket) {
  Batch batch;
  batch.epoch = ticket.epoch, batch.index = ticket.index, batch.first = ticket.first, batch.size = ticket.size;
  batch.pixels = std::move(ticket.pixels);
  std::vector<int64_t> kept;  // slots
  for (int64_t slot = 0; slot < ticket.count; ++slot) {
    const size_t s = static_cast<size_t>(slot);
    const int64_t item = dataset.items[static_cast<size_t>((*ticket.order)[static_cast<size_t>(ticket.first + slot)].item)];
    if (ticket.thrown[s]) {
      try {
        std::rethrow_exception(ticket.thrown[s]);
      } catch (const Error& error) {
        if (error.kind() != Kind::data) throw;
        const std::string name = dataset.reader->name(item);
        std::string reason = error.what();
        if (reason.starts_with(name + ": ")) reason.erase(0, name.size() + 2);
        check(options.skip_bad, Kind::data, "{}: {}; remove it, or have such pictures left out with --bad-files skip", name, reason);
        batch.failures.push_back({name, reason});
      }
      continue;
    }
    // Those after a picture that is left out close ranks.
    uint8_t* const at = batch.pixels->data();
    const size_t bytes = bytes_of(ticket.size);
    if (kept.size() < s) std::memcpy(at + kept.size() * bytes, at + s * bytes, bytes);
    kept.push_back(slot);
    batch.items.push_back(item), batch.labels.push_back(dataset.reader->label(item));
    if (options.record) batch.traces.push_back(std::move(ticket.traces[s]));
  }
  batch.count = static_cast<int64_t>(kept.size());
  batch.mix = mix(ticket, batch, kept);
  batch.erased = erase(ticket, batch, kept);
  for (size_t k = 0; options.record && k < batch.mix.size(); ++k) batch.traces[k].mix = batch.mix[k];
  for (size_t k = 0; options.record && k < batch.erased.size(); ++k) batch.traces[k].erased = batch.erased[k];
  return batch;
}

// ---- the size of the slots ------------------------------------------------------------------------------------------------

image::Size Loader::State::size_of(int64_t item) const {
  image::Picture picture = open(item);
  pipeline.run(picture, {.seed = options.seed, .sample = static_cast<uint64_t>(item)});
  return picture.size();
}

// A list that ends in a crop says its size; of others a few pictures, evenly spread, must agree.
image::Size Loader::State::find_size() const {
  if (const auto fixed = pipeline.output()) return *fixed;
  constexpr int64_t kLooks = 16;
  std::optional<image::Size> agreed;
  std::string who;
  for (int64_t k = 0, looks = std::min(kLooks, dataset.size()); k < looks; ++k) {
    const int64_t item = dataset.items[static_cast<size_t>(k * dataset.size() / looks)];
    try {
      const image::Size got = size_of(item);
      check(!agreed || *agreed == got, Kind::usage,
            "the augment list makes {} {}×{} but {} {}×{}; end it with center_crop or random_resized_crop so that all come out alike", who,
            agreed ? agreed->width : 0, agreed ? agreed->height : 0, dataset.reader->name(item), got.width, got.height);
      agreed = got, who = dataset.reader->name(item);
    } catch (const Error& error) {
      if (error.kind() != Kind::data) throw;  // broken pictures are the batches' affair
    }
  }
  check(agreed.has_value(), Kind::data, "none of {} pictures looked at can be read; the first is {}", std::min(kLooks, dataset.size()),
        dataset.reader->name(dataset.items.front()));
  return *agreed;
}

// ---- the door -------------------------------------------------------------------------------------------------------------

Loader::Loader(Dataset dataset, const augment::Pipeline& pipeline, const augment::Mixer& mixer, Sampler sampler, LoaderOptions options,
               Allocate allocate)
    : state_(std::make_unique<State>(std::move(dataset), pipeline, mixer, std::move(sampler), options)) {
  State& s = *state_;
  s.size = s.find_size();
  s.buffers =
      Buffers::make(std::move(allocate), bytes_of(s.size) * static_cast<size_t>(options.batch), static_cast<size_t>(options.ahead) + 2);
  const int threads = options.ahead > 0 ? std::max(1, options.threads) : options.threads - 1;
  if (threads > 0) s.workers = std::make_unique<Workers>(threads);
}

Loader::~Loader() = default;

void Loader::seek(int64_t epoch, int64_t batch) {
  State& s = *state_;
  check(epoch >= 0 && batch >= 0 && batch <= s.per_epoch, Kind::data, "no batch {} in an epoch of {}; the data are not those of the run",
        batch, s.per_epoch);
  s.cancel();
  s.epoch = batch == s.per_epoch ? epoch + 1 : epoch;
  s.index = batch == s.per_epoch ? 0 : batch;
  s.orders.clear();
}

Batch Loader::next() {
  State& s = *state_;
  while (s.scheduled.size() < static_cast<size_t>(s.options.ahead) + 1) s.scheduled.push_back(s.schedule());
  const std::shared_ptr<Ticket> ticket = s.scheduled.front();
  s.finish(*ticket);
  s.scheduled.pop_front();
  return s.collect(*ticket);
}

int64_t Loader::batches_per_epoch() const { return state_->per_epoch; }

image::Size Loader::size() const { return state_->size; }

void Loader::set_replay(TraceAt replay) {
  state_->cancel();
  state_->replay = std::move(replay);
}

}  // namespace satchel::data
