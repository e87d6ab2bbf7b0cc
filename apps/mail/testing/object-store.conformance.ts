import { describeReading } from './object-reading.conformance';
import { describeRemoval } from './object-removal.conformance';
import { describeResuming } from './object-resuming.conformance';
import { describeSealing } from './object-sealing.conformance';
import { describeWriting } from './object-writing.conformance';
import { type StartedStore, StoreUnderTest } from './store-under-test';

/** What every object store does, as the port's comments say. */
export function describeObjectStore(name: string, start: () => Promise<StartedStore>): void {
  describe(name, () => {
    const subject = new StoreUnderTest();
    beforeAll(() => subject.begin(start), 60_000);
    afterAll(() => subject.end());

    describeWriting(subject);
    describeReading(subject);
    describeResuming(subject);
    describeSealing(subject);
    describeRemoval(subject);
  });
}
