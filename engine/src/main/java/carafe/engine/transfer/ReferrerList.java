package carafe.engine.transfer;

import java.util.List;

/// What refers to an image, and in words what of it is not shown; empty if all is.
public record ReferrerList(List<Referrer> found, String left) {
    public ReferrerList {
        found = List.copyOf(found);
    }
}
