#include "gateway/label/label.h"

#include <doctest/doctest.h>

namespace fedgate::label {
namespace {

using model::LabelSource;
using model::Rank;

TEST_CASE("label: an unlabelled message takes the nearest default") {
  CHECK(effective_label({}, Rank::kOpen, Rank::kInternal, Rank::kRestricted).source == LabelSource::kRoom);
  CHECK(effective_label({}, Rank::kOpen, Rank::kInternal, Rank::kRestricted).rank == Rank::kOpen);
  CHECK(effective_label({}, {}, Rank::kInternal, Rank::kRestricted).source == LabelSource::kPeerDefault);
  CHECK(effective_label({}, {}, {}, Rank::kRestricted).rank == Rank::kRestricted);
}

TEST_CASE("label: without any source the rank is the highest, so that nothing passes") {
  model::Label label = effective_label({}, {}, {}, {});
  CHECK(label.rank == Rank::kTopSecret);
  CHECK(label.source == LabelSource::kNone);
}

TEST_CASE("label: a stated label counts, but never lowers the room") {
  model::Label stated;
  stated.rank = Rank::kOpen;
  stated.source = LabelSource::kExplicit;
  CHECK(effective_label(stated, {}, Rank::kInternal, {}).rank == Rank::kOpen);
  CHECK(effective_label(stated, Rank::kInternal, {}, {}).rank == Rank::kInternal);
  stated.source = LabelSource::kConflict;
  CHECK(effective_label(stated, Rank::kSecret, {}, {}).source == LabelSource::kConflict);
}

TEST_CASE("label: a rank that came without a source is not believed") {
  model::Label claimed;
  claimed.rank = Rank::kOpen;
  claimed.source = LabelSource::kRealmDefault;
  CHECK(effective_label(claimed, {}, Rank::kInternal, {}).rank == Rank::kInternal);
}

}  // namespace
}  // namespace fedgate::label
