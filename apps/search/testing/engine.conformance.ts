import { EngineUnderTest, type StartedEngine } from './engine-under-test';
import { describeFacets } from './facet.conformance';
import { describeFilters } from './filter.conformance';
import { describeFreshness } from './freshness.conformance';
import { describeHighlights } from './highlight.conformance';
import { describeHostileInput } from './hostile.conformance';
import { describePaging } from './paging.conformance';
import { describeQueries } from './query.conformance';
import { describeRanking } from './ranking.conformance';
import { describeTenants } from './tenant.conformance';
import { describeUnicode } from './unicode.conformance';
import { describeVersions } from './version.conformance';

/**
 * What every search engine does, as the port's comments say. It compares sets, and order where order is promised, never
 * scores of two engines.
 */
export function describeEngine(name: string, start: () => Promise<StartedEngine>): void {
  describe(name, () => {
    const subject = new EngineUnderTest();
    beforeAll(() => subject.begin(start), 180_000);
    afterAll(() => subject.end());

    describeQueries(subject);
    describeRanking(subject);
    describeFilters(subject);
    describeFacets(subject);
    describeHighlights(subject);
    describeUnicode(subject);
    describeHostileInput(subject);
    describePaging(subject);
    describeVersions(subject);
    describeTenants(subject);
    describeFreshness(subject);
  });
}
