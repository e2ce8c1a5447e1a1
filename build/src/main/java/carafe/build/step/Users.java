package carafe.build.step;

import carafe.build.tree.FileSource;
import carafe.build.tree.Node;
import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// Finds the numbers of `user[:group]` in the passwd and group files of a root.
final class Users {

    private static final int MAX_BYTES = 1 << 20;

    private final FileSource root;

    Users(FileSource root) {
        this.root = root;
    }

    /// The owner that `text` names; a user alone by name brings its own group, a number alone the group of that number.
    Node.Owner find(String text) throws IOException, EngineException {
        if (text.isEmpty()) {
            return Node.Owner.ROOT;
        }
        int colon = text.indexOf(':');
        String user = colon < 0 ? text : text.substring(0, colon);
        String group = colon < 0 ? "" : text.substring(colon + 1);
        int uid;
        int gid;
        if (isNumber(user)) {
            uid = Integer.parseInt(user);
            gid = uid;
        } else {
            String[] fields = line("etc/passwd", user);
            uid = number(fields, 2, user);
            gid = number(fields, 3, user);
        }
        if (!group.isEmpty()) {
            gid = isNumber(group) ? Integer.parseInt(group) : number(line("etc/group", group), 2, group);
        }
        return new Node.Owner(uid, gid);
    }

    private static boolean isNumber(String text) {
        return text.matches("\\d{1,9}");
    }

    private static int number(String[] fields, int index, String name) throws EngineException.Invalid {
        if (fields.length <= index || !isNumber(fields[index])) {
            throw new EngineException.Invalid("the entry of \"" + name + "\" has no number");
        }
        return Integer.parseInt(fields[index]);
    }

    private String[] line(String path, String name) throws IOException, EngineException {
        var file = root.follow(path).filter(node -> node.type() == Node.Type.FILE && node.size() <= MAX_BYTES);
        if (file.isPresent()) {
            String text;
            try (var in = root.open(file.get())) {
                text = new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8);
            }
            for (String line : text.split("\n")) {
                String[] fields = line.split(":", -1);
                if (fields[0].equals(name)) {
                    return fields;
                }
            }
        }
        throw new EngineException.Invalid("unable to convert uid/gid chown string to host mapping: can't find " + name
                + " in /" + path + " of the image");
    }
}
