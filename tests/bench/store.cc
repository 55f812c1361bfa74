// SQLite alone: durable appends of one entry that holds n records of 1 KiB, one append in flight, as the journal does it.
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "gateway/store/sqlite_store.h"
#include "tests/bench/inline_scheduler.h"
#include "tests/bench/measure.h"

namespace fedgate::bench {

void measure_store(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows) {
  double seconds = smoke ? 0.05 : 0.7;
  LoopScheduler scheduler;
  auto store = store::SqliteStore::open(std::filesystem::path(folder) / "store.db", scheduler);
  if (!store) std::abort();
  for (std::uint64_t records : {1u, 16u, 64u, 256u}) {
    std::string entry(records * 1024, 'r');
    double per_second = rate(seconds, records, [&] {
      bool done = false;
      (*store)->append("bench", "", entry, [&](Result<store::Seq> seq) {
        if (!seq) std::abort();
        done = true;
      });
      scheduler.run_until([&] { return done; });
    });
    // One fdatasync carries the whole group: the ratio says how many records share the price of one.
    rows.push_back({"store: SQLite, " + std::to_string(records) + " records of 1 KiB a commit", per_second, 1e6 / per_second,
                    per_second / calibration.fdatasync_4k_per_second, "fdatasync of 4 KiB"});
  }
}

}  // namespace fedgate::bench
