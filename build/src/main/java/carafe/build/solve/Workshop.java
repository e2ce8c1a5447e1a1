package carafe.build.solve;

import carafe.build.step.RunStep;
import carafe.image.Images;
import java.time.Clock;

/// What all builds share: the images, the cache, the place where programs run, steps that are being done, the time.
public record Workshop(Images images, StepCache cache, RunStep.Place place, Flights flights, Clock clock) {}
