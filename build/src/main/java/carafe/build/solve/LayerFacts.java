package carafe.build.solve;

import carafe.image.TarArchive;
import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.Optional;
import java.util.TreeMap;

/// What a layer says, times apart: of each member its kind, owner, bits, attributes, link and content. Read from the tar,
/// where what deletes files of layers below is a member like any other.
final class LayerFacts {

    private LayerFacts() {}

    /// Whether the tars of two layers, which stay open, say the same. One that says two things of the same name is like no
    /// other.
    static boolean same(InputStream one, InputStream other) throws IOException, EngineException {
        var facts = read(one);
        return facts.isPresent() && facts.equals(read(other));
    }

    private static Optional<TreeMap<String, String>> read(InputStream tar) throws IOException, EngineException {
        var facts = new TreeMap<String, String>();
        var twice = new boolean[1];
        TarArchive.read(tar, (member, data) -> {
            var attributes = member.attributes();
            var text = new StringBuilder().append(member.kind()).append(' ').append(attributes.mode()).append(' ')
                    .append(attributes.uid()).append(':').append(attributes.gid()).append(' ').append(member.size())
                    .append(' ').append(member.deviceMajor()).append(':').append(member.deviceMinor()).append(' ')
                    .append(member.linkName());
            new TreeMap<>(member.xattrs()).forEach((name, value) ->
                    text.append('\n').append(name).append('=').append(HexFormat.of().formatHex(value)));
            if (member.kind() == TarArchive.Kind.FILE) {
                text.append('\n').append(content(data).hex());
            }
            twice[0] |= facts.put(IgnorePatterns.clean(member.name()), text.toString()) != null;
        });
        return twice[0] ? Optional.empty() : Optional.of(facts);
    }

    private static Digest content(InputStream data) throws IOException {
        var hasher = Digest.Algorithm.SHA256.hasher();
        byte[] buffer = new byte[64 << 10];
        for (int count = data.read(buffer); count >= 0; count = data.read(buffer)) {
            hasher.update(buffer, 0, count);
        }
        return Digest.finish(Digest.Algorithm.SHA256, hasher.digest());
    }
}
