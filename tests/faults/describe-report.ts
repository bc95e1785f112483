import { leftOut } from './left-out.ts';
import type { FaultReport } from './run-faults.ts';

/** The report of a fault run, for people. */
export function describeReport(report: FaultReport): string {
  const injected = Object.entries(report.injected).sort(([one], [other]) => one.localeCompare(other));
  const without = Object.entries({ ...leftOut, ...report.impossible }).sort(([one], [other]) =>
    one.localeCompare(other),
  );
  return `faults injected                               ${injected.map(([id, times]) => (times === 1 ? id : `${id} x ${times}`)).join(', ')}
runs accepted                                 ${report.accepted}
runs lost                                     ${report.lost}
attempts recorded as uncertain                ${report.uncertain}
calls paid twice without an uncertain record  ${report.paidTwice}
calls whose record a kill prevented, unkeyed  ${report.shadowCalls}
promises broken                               ${report.broken.length}
${[...report.wrong, ...report.broken.slice(0, 50)].map((line) => `  ${line}\n`).join('')}not injected
${without.map(([id, why]) => `  ${id} ${why}`).join('\n')}`;
}
