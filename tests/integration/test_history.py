"""What was: the versions of each governed row, and the registers as of a past time."""

import pytest

from world import LONG_AGO, soon

ABSENT = "01900000-0000-7000-8000-000000000000"


def versions(api, method, thing, **fields):
    return list(api.call(method, id=thing.meta.id, **fields).versions)


def rename(world, risk, title, by="contributor"):
    return world.apis[by].call(
        "RiskService/UpdateRisk", id=risk.meta.id, fields={"title": title}, update_mask="title",
        mutation={"expected_version": risk.meta.version}).risk


def test_each_write_is_a_version(world):
    made = [world.risk(score=None, title="at first")]
    made.append(rename(world, made[-1], "then", by="analyst"))
    made.append(world.score(made[-1], 3, 4))
    kept = versions(world.contributor, "RiskService/ListRiskVersions", made[0])
    assert kept == made[::-1]
    assert [r.meta.updated_by for r in kept] == [
        world.id("contributor"), world.id("analyst"), world.id("contributor")]


def at(row):
    return row.meta.updated_at.ToJsonString()


def test_get_and_list_as_of(world):
    first = world.risk(score=None, title="at first")
    second = rename(world, first, "then")
    for row in (first, second):
        assert world.owner.call("RiskService/GetRisk", id=first.meta.id, as_of=at(row)).risk == row
        listed = world.owner.call("RiskService/ListRisks", as_of=at(row), page_size=1).risks
        assert list(listed) == [row]
