package carafe.engine;

import java.util.List;

/// What a check of all images read and found.
public record CheckResult(int blobs, int layers, long bytes, List<Problem> problems) {

    /// One thing that is, or was, damaged: `kind` says of what sort (`layer`, `config`, `manifest`, `blob`), `digest` which,
    /// `fault` what is wrong, `images` who needs it.
    public record Problem(String kind, String digest, String fault, List<String> images, boolean repaired) {
        public Problem {
            images = List.copyOf(images);
        }
    }

    public CheckResult {
        problems = List.copyOf(problems);
    }
}
