/** The library: the engine and the models, without HTTP. */

export { AssessmentError, type EngineErrorCode } from './liveness/errors.ts';
export { type AssessOptions, type Engine, type EngineOptions, startEngine } from './liveness/pool.ts';
export type * from './liveness/types.ts';
export type { ModelDescriptor, ProfileDescriptor } from './models/descriptor.ts';
export { DescriptorError, loadRegistry, type Registry, type ResolvedProfile } from './models/registry.ts';
export { pullWeights, requireWeights, WeightsError } from './models/weights.ts';
