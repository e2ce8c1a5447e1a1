package carafe.daemon;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Holds ARCHITECTURE.md: its table of rooms is compared with the Maven dependencies and with the bytecode.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ArchitectureTest {

    private static final Pattern ROW = Pattern.compile("\\| `([a-z]+)` \\| [^|]+ \\| ([^|]+) \\|");
    private static final Pattern ROOM_DEPENDENCY = Pattern.compile(
            "<dependency>\\s*<groupId>dev\\.carafe</groupId>\\s*<artifactId>carafe-(\\w+)</artifactId>"
                    + "\\s*<version>[^<]*</version>(.*?)</dependency>",
            Pattern.DOTALL);
    /// Fewer classes than this means that the scan missed rooms and proves nothing.
    private static final int LEAST_CLASSES = 150;

    private final Path root = Path.of(System.getProperty("carafe.root"));
    private final Map<String, Set<String>> arrows = readTable();
    private final JavaClasses classes = importRooms();

    @Test
    void theTableNamesEveryRoomOfTheReactor() throws Exception {
        var modules = Pattern.compile("<module>(\\w+)</module>").matcher(Files.readString(root.resolve("pom.xml")));
        var rooms = new LinkedHashSet<String>();
        while (modules.find()) {
            if (Files.isDirectory(root.resolve(modules.group(1)).resolve("src/main/java"))) {
                rooms.add(modules.group(1));
            }
        }
        assertThat(arrows.keySet()).containsExactlyInAnyOrderElementsOf(rooms);
    }

    @Test
    void mavenDependenciesFollowTheTable() throws Exception {
        for (var room : arrows.entrySet()) {
            String pom = Files.readString(root.resolve(room.getKey()).resolve("pom.xml"));
            var declared = new ArrayList<String>();
            var matcher = ROOM_DEPENDENCY.matcher(pom);
            while (matcher.find()) {
                if (!matcher.group(2).contains("<scope>test</scope>")) {
                    declared.add(matcher.group(1));
                }
            }
            assertThat(room.getValue()).as("arrows of room %s in Maven", room.getKey()).containsAll(declared);
        }
    }

    @Test
    void bytecodeFollowsTheTable() {
        assertThat(classes.size()).as("classes scanned").isGreaterThan(LEAST_CLASSES);
        for (var room : arrows.entrySet()) {
            var allowed = new ArrayList<String>();
            allowed.add("carafe." + room.getKey() + "..");
            room.getValue().forEach(other -> allowed.add("carafe." + other + ".."));
            noClasses()
                    .that(resideInAPackage("carafe." + room.getKey() + ".."))
                    .should()
                    .dependOnClassesThat(resideInAPackage("carafe..")
                            .and(not(resideInAnyPackage(allowed.toArray(String[]::new)))))
                    .check(classes);
        }
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("carafe.(**)").should().beFreeOfCycles().check(classes);
    }

    @Test
    void eachOuterWorldHasOneRoom() {
        var owners = Map.of(
                "java.lang.foreign..", "kernel",
                "tools.jackson..", "spec",
                "java.sql..", "engine",
                "com.github.luben.zstd..", "image",
                "org.apache.commons.compress..", "spec",
                "org.tukaani.xz..", "spec");
        owners.forEach((world, owner) -> noClasses()
                .that(not(resideInAPackage("carafe." + owner + "..")))
                .should()
                .dependOnClassesThat(resideInAPackage(world))
                .check(classes));
    }

    /// Rule R5: whoever reads what images, layers, contexts and volumes hold has its codecs in Java and libraries.
    @Test
    void whoeverReadsForeignBytesStartsNoProgram() {
        noClasses()
                .that(resideInAnyPackage("carafe.spec..", "carafe.image..", "carafe.files..", "carafe.build..",
                        "carafe.registry..", "carafe.hub..", "carafe.network..", "carafe.api..", "carafe.http.."))
                .should()
                .dependOnClassesThat(belongToAnyOf(ProcessBuilder.class, Process.class))
                .check(classes);
    }

    @Test
    void onlyMainEndsTheProcess() {
        noClasses()
                .that()
                .doNotHaveSimpleName("Main")
                .and()
                .doNotHaveSimpleName("Failpoints") // dies on purpose, for tests of crashes
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "halt", int.class)
                .check(classes);
    }

    private Map<String, Set<String>> readTable() {
        try {
            var rows = new LinkedHashMap<String, Set<String>>();
            for (String line : Files.readAllLines(root.resolve("ARCHITECTURE.md"))) {
                var row = ROW.matcher(line);
                if (row.matches()) {
                    String imports = row.group(2).strip();
                    rows.put(row.group(1), imports.equals("–") ? Set.of() : Set.of(imports.split(", ")));
                }
            }
            return rows;
        } catch (java.io.IOException e) {
            throw new AssertionError("ARCHITECTURE.md cannot be read", e);
        }
    }

    private JavaClasses importRooms() {
        List<Path> directories = arrows.keySet().stream()
                .map(room -> root.resolve(room).resolve("target/classes"))
                .toList();
        assertThat(directories).allSatisfy(directory -> assertThat(directory).isDirectory());
        return new ClassFileImporter().importPaths(directories);
    }
}
