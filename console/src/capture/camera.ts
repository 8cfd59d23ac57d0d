/** The camera: opened, watched, and switched off. */

/** Why there is no picture of the camera. */
export type CameraFault = 'denied' | 'missing' | 'busy' | 'insecure';

export class CameraError extends Error {
  readonly fault: CameraFault;

  constructor(fault: CameraFault, cause?: unknown) {
    super(`The camera is of no use: ${fault}.`, { cause });
    this.name = 'CameraError';
    this.fault = fault;
  }
}

/** Enough pixels for any model, and not so many that a phone gets slow: sides of the picture that is asked for. */
const wanted = { width: 1920, height: 1080 };

/**
 * Asks for the camera that looks at the person.
 * @throws CameraError
 */
export async function openCamera(): Promise<MediaStream> {
  // Browsers have no cameras for pages that anybody on the way could have changed.
  if (!window.isSecureContext || navigator.mediaDevices === undefined) throw new CameraError('insecure');
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: 'user', width: { ideal: wanted.width }, height: { ideal: wanted.height } },
    });
  } catch (error) {
    throw new CameraError(faultOf(error), error);
  }
}

/** @param lost is called once when the camera is taken away, and not when it is closed. */
export function watchCamera(stream: MediaStream, lost: () => void): void {
  for (const track of stream.getTracks()) track.addEventListener('ended', lost, { once: true });
}

export function closeCamera(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function faultOf(error: unknown): CameraFault {
  switch ((error as DOMException).name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    default:
      // NotReadableError, AbortError: another program has it, or it does not start.
      return 'busy';
  }
}
