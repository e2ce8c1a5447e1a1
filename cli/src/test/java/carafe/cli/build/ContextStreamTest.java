package carafe.cli.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import carafe.cli.session.TestSession;
import carafe.spec.build.FileStamp;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.tar.TarReader;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ContextStreamTest {

    private static final Path ROOT = Path.of("/home/user");

    private final TestSession session = new TestSession();

    private Map<String, String> read(ContextStream stream) throws Exception {
        var members = new LinkedHashMap<String, String>();
        var in = new DataInputStream(new ByteArrayInputStream(stream.readAllBytes()));
        byte[] block = new byte[512];
        String longName = "";
        while (true) {
            in.readFully(block);
            if (block[0] == 0) {
                return members;
            }
            int size = Integer.parseInt(new String(block, 124, 11, StandardCharsets.US_ASCII), 8);
            byte[] content = in.readNBytes(size);
            in.readNBytes(-size & 511);
            String text = new String(content, StandardCharsets.UTF_8);
            if (block[156] == 'x') {
                longName = text.substring(text.indexOf("path=") + 5, text.indexOf('\n'));
                continue;
            }
            int end = 0;
            while (end < 100 && block[end] != 0) {
                end++;
            }
            String name = longName.isEmpty() ? new String(block, 0, end, StandardCharsets.UTF_8) : longName;
            longName = "";
            members.put(name, text);
        }
    }

    @Test
    void ignoredFilesStayAtHomeButNotTheDockerfile() throws Exception {
        session.file("Dockerfile", "FROM x");
        session.file("a.log", "no");
        session.file("b.txt", "yes");
        var stream = new ContextStream(session, ROOT, IgnorePatterns.of(List.of("*.log", "Dockerfile")),
                Set.of("Dockerfile"), List.of());
        assertThat(read(stream)).isEqualTo(Map.of("Dockerfile", "FROM x", "b.txt", "yes"));
    }

    @Test
    void extraFilesComeFirst() throws Exception {
        session.file("a", "1");
        var stream = new ContextStream(session, ROOT, IgnorePatterns.NONE, Set.of(),
                List.of(new ContextStream.Extra("extra", "2".getBytes(StandardCharsets.UTF_8))));
        assertThat(read(stream).keySet()).containsExactly("extra", "a");
    }

    @Test
    void capabilitiesOfFilesThatAreSentGoAlong() throws Exception {
        byte[] capability = {1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\n', (byte) 0xFF};
        session.file("d/ping", "1");
        session.file("d/plain", "2");
        session.file("d/out", "3");
        session.capabilities.put(ROOT.resolve("d/ping"), capability);
        session.capabilities.put(ROOT.resolve("d/out"), new byte[] {9});
        var stream = new ContextStream(session, ROOT, IgnorePatterns.of(List.of("d/out")), Set.of(), List.of());
        var found = new LinkedHashMap<String, Map<String, byte[]>>();
        var tar = new TarReader(stream);
        for (var entry = tar.next(); entry != null; entry = tar.next()) {
            found.put(entry.name(), entry.xattrs());
        }
        assertThat(found.keySet()).containsExactly("d/", "d/ping", "d/plain");
        assertThat(found.get("d/ping")).containsOnly(entry("security.capability", capability));
        assertThat(found.get("d/plain")).isEmpty();
    }

    @Test
    void longNamesArriveWhole() throws Exception {
        String name = "n".repeat(180);
        session.file(name, "x".repeat(5000));
        var stream = new ContextStream(session, ROOT, IgnorePatterns.NONE, Set.of(), List.of());
        assertThat(read(stream)).isEqualTo(Map.of(name, "x".repeat(5000)));
    }

    @Test
    void furtherNamesOfAFileAreLinksToItsFirst() throws Exception {
        var one = new FileStamp(1, 2, 4, 5, 6);
        for (String name : List.of("a", "b/c", "b/d", "e", "Dockerfile")) {
            session.file(name, "same");
            session.linked.add(ROOT.resolve(name));
            session.stamps.put(ROOT.resolve(name), one);
        }
        session.stamps.put(ROOT.resolve("e"), new FileStamp(1, 2, 4, 5, 7)); // written to meanwhile
        session.linked.remove(ROOT.resolve("b/d"));
        var stream = new ContextStream(session, ROOT, IgnorePatterns.NONE, Set.of("Dockerfile"), List.of());
        var found = new LinkedHashMap<String, String>();
        var tar = new TarReader(stream);
        for (var entry = tar.next(); entry != null; entry = tar.next()) {
            found.put(entry.name(), entry.type() + " " + entry.linkName() + " " + entry.size());
        }
        assertThat(found).containsExactly(entry("Dockerfile", "FILE  4"), entry("a", "FILE  4"), entry("b/", "DIRECTORY  0"),
                entry("b/c", "HARD_LINK a 0"), entry("b/d", "FILE  4"), entry("e", "FILE  4"));
    }
}
