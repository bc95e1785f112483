import type { serviceOperations } from '@damask/contracts/services.ts';

/**
 * How an operation treats a caller that reaches some patterns or environments only.
 * - free: it speaks of neither patterns nor runs.
 * - whole: refused, since what it does or shows has no such bounds.
 * - lists: it leaves out what lies beyond.
 * - pattern, name: the pattern of that field must be reached.
 * - starts: pattern, environment and all steps must be.
 * - run, again, batch: that of the run or batch must be; `again` starts one.
 */
export type ReachRule = 'free' | 'whole' | 'lists' | 'pattern' | 'name' | 'starts' | 'run' | 'again' | 'batch';

/** Each operation of the service has its rule: one without keeps the types from being right. */
export const reachRules: Readonly<Record<keyof (typeof serviceOperations)['pattern'], ReachRule>> = {
  listPatterns: 'lists',
  createPattern: 'name',
  readPattern: 'pattern',
  deletePattern: 'pattern',
  restorePattern: 'pattern',
  publishVersion: 'pattern',
  listVersions: 'pattern',
  readVersion: 'pattern',
  setLabel: 'pattern',
  removeLabel: 'pattern',
  diffVersions: 'pattern',
  listLabelMoves: 'pattern',
  deprecatePattern: 'pattern',
  liftDeprecation: 'pattern',
  setPatternTeam: 'pattern',
  listStrategies: 'free',
  readStrategy: 'free',
  putStrategy: 'whole',
  deleteStrategy: 'whole',
  listContexts: 'free',
  readContext: 'free',
  putContext: 'whole',
  deleteContext: 'whole',
  listSessions: 'free',
  readSession: 'free',
  listTurns: 'free',
  putSession: 'free',
  deleteSession: 'free',
  importTree: 'whole',
  importArchive: 'whole',
  importGit: 'whole',
  exportArchive: 'whole',
  exportTree: 'whole',
  listModels: 'free',
  listProviders: 'free',
  readProviderHealth: 'free',
  putProvider: 'whole',
  testProvider: 'whole',
  deleteProvider: 'whole',
  listBudgets: 'whole',
  readBudget: 'whole',
  putBudget: 'whole',
  deleteBudget: 'whole',
  createRun: 'starts',
  renderRun: 'starts',
  listRuns: 'lists',
  readRun: 'run',
  listRunSteps: 'run',
  rerunRun: 'again',
  streamRun: 'run',
  cancelRun: 'run',
  retryRun: 'again',
  decideRun: 'run',
  readQueue: 'free',
  putQueue: 'whole',
  createBatch: 'starts',
  listBatches: 'lists',
  readBatch: 'batch',
  pauseBatch: 'batch',
  resumeBatch: 'batch',
  cancelBatch: 'batch',
  readBatchResults: 'batch',
  listBatchErrors: 'batch',
  listTimers: 'whole',
  readTimer: 'whole',
  putTimer: 'whole',
  deleteTimer: 'whole',
  listTimerTicks: 'whole',
};
