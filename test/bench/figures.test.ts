import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as assertProperty, integer, nat, property } from "fast-check";
import { type Figure, holds, median, percentile, rounded } from "../../bench/figures.ts";

const aFigure = (fields: Partial<Figure>): Figure => ({ name: "a", title: "A", value: 1, unit: "s", ...fields });

test("a goal is met up to the goal itself", () => {
  assert.equal(holds(aFigure({ value: 1, goal: 1 })), true);
  assert.equal(holds(aFigure({ value: 1.001, goal: 1 })), false);
  assert.equal(holds(aFigure({ value: 0, goal: 0 })), true);
});

test("where there is no goal, nothing holds or fails", () => {
  assert.equal(holds(aFigure({})), undefined);
});

test("a figure that could not be measured misses its goal", () => {
  assert.equal(holds(aFigure({ value: Number.NaN, goal: 1 })), false);
});

test("the median is the middle value, or the mean of the middle two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
});

test("a percentile is one of the values", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(percentile(hundred, 50), 50);
  assert.equal(percentile(hundred, 99), 99);
  assert.equal(percentile(hundred, 100), 100);
  assert.equal(percentile([5], 99), 5);
  assert.ok(Number.isNaN(percentile([], 99)));
});

test("at least so many percent of the values are not above a percentile, whatever their order", () => {
  assertProperty(
    property(array(nat(), { minLength: 1 }), integer({ min: 1, max: 100 }), (values, percent) => {
      const found = percentile(values, percent);
      const within = values.filter((value) => value <= found).length;
      const below = values.filter((value) => value < found).length;
      return within * 100 >= percent * values.length && below * 100 < percent * values.length;
    }),
  );
});

test("a figure is rounded to three digits, and to whole numbers above a hundred", () => {
  assert.deepEqual([0.012345, 1.2345, 12.345, 123.45, 1234.5, 0].map(rounded), [0.0123, 1.23, 12.3, 123, 1235, 0]);
});
