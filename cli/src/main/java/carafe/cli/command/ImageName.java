package carafe.cli.command;

import java.util.Locale;

/// An image's name as people write it: `[registry/]path[:tag][@digest]`.
final class ImageName {

    private ImageName() {}

    /// With the tag `latest` when it has neither tag nor digest.
    static String tagged(String image) {
        boolean named = image.indexOf('@') >= 0 || image.lastIndexOf(':') > image.lastIndexOf('/');
        return named ? image : image + ":latest";
    }

    /// With its registry and its tag.
    static String full(String image) {
        String tagged = tagged(image);
        return hasRegistry(image) ? tagged : "docker.io/" + (image.indexOf('/') < 0 ? "library/" : "") + tagged;
    }

    /// The registry that keeps the image.
    static String registry(String image) {
        return hasRegistry(image) ? image.substring(0, image.indexOf('/')) : "docker.io";
    }

    /// Whether a tag or a digest is said.
    static boolean complete(String image) {
        return tagged(image).equals(image);
    }

    private static boolean hasRegistry(String image) {
        int slash = image.indexOf('/');
        String first = slash < 0 ? "" : image.substring(0, slash);
        return first.indexOf('.') >= 0 || first.indexOf(':') >= 0 || first.equals("localhost")
                || !first.equals(first.toLowerCase(Locale.ROOT));
    }

    /// Docker's sentence about a name that cannot be one; empty when the engine may judge.
    static String mistake(String image) {
        String name = image.indexOf('@') >= 0 ? image.substring(0, image.indexOf('@')) : image;
        int colon = name.lastIndexOf(':');
        String repository = colon > name.lastIndexOf('/') ? name.substring(0, colon) : name;
        String path = hasRegistry(repository) ? repository.substring(repository.indexOf('/') + 1)
                : repository.indexOf('/') < 0 ? "library/" + repository : repository;
        if (!path.equals(path.toLowerCase(Locale.ROOT))) {
            return "invalid reference format: repository name (" + path + ") must be lowercase";
        }
        boolean plain = !repository.isEmpty() && !name.endsWith(":");
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            plain &= c < 0x80 && Character.isLetterOrDigit(c) || c == '/' || c == '.' || c == '_' || c == '-';
        }
        return plain && !path.endsWith("/") && !path.startsWith("/") ? "" : "invalid reference format";
    }
}
