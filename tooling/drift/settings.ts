/** How a stream's severity, 0..5, goes over the horizon, of which a place is 0..1. */
export interface SeverityCourse {
  readonly name: string
  severityAt(place: number): number
}

/** What the gates guarantee, and the monitors watch. */
export const target = { bound: 0.02, confidence: 0.95 }

/** Length of every stream. */
export const horizonRows = 200_000

/** Streams of each kind. */
export const runs = 100

export const clean: SeverityCourse = { name: 'clean', severityAt: () => 0 }

export const courses: readonly SeverityCourse[] = [
  { name: 'grows', severityAt: (place) => 5 * Math.min(1, Math.max(0, (place - 0.1) / 0.4)) },
  { name: 'jumps', severityAt: (place) => (place < 0.1 ? 0 : 5) },
]
