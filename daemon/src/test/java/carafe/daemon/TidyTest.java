package carafe.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import javax.lang.model.element.Modifier;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/// What of the house style a machine can check: sizes, names, white space, documentation.
class TidyTest {

    private static final int LINE = 130;
    private static final int FILE_LINES = 600;
    private static final int METHOD_LINES = 60;
    private static final int C_FUNCTION_LINES = 70;
    private static final int PARAMETERS = 5;
    private static final Pattern EMPTY_WORDS =
            Pattern.compile("(?i).*(Util|Utils|Helper|Misc|Manager|Impl)s?|Common|Base|Abstract.*Base");
    private static final Pattern TODO = Pattern.compile("\\b(TODO|FIXME|XXX)\\b(?!.*#\\d)");

    private final Path root = Path.of(System.getProperty("carafe.root"));
    private final List<String> complaints = new ArrayList<>();

    @Test
    void textIsClean() throws Exception {
        var files = sources("java", "c", "h", "md", "sh", "xml");
        assertThat(files).hasSizeGreaterThan(60);
        for (Path file : files) {
            List<String> lines = Files.readAllLines(file);
            boolean code = file.toString().matches(".*\\.(java|c|h)");
            if (code && lines.size() > FILE_LINES) {
                complaints.add(where(file, 1) + "has " + lines.size() + " lines, at most " + FILE_LINES);
            }
            for (int i = 0; i < lines.size(); i++) {
                checkLine(file, i + 1, lines.get(i), code);
            }
        }
        assertThat(complaints).isEmpty();
    }

    private void checkLine(Path file, int number, String line, boolean code) {
        if (line.indexOf('\t') >= 0) {
            complaints.add(where(file, number) + "has a tab");
        }
        if (!line.equals(line.stripTrailing())) {
            complaints.add(where(file, number) + "ends in blanks");
        }
        boolean test = file.toString().contains("src/test/java"); // expected texts may be as long as they are
        if (code && line.length() > LINE && !test) {
            complaints.add(where(file, number) + "is longer than " + LINE);
        }
        if (code && TODO.matcher(line).find() && !file.endsWith("TidyTest.java")) {
            complaints.add(where(file, number) + "has a to-do without an issue");
        }
        if (line.startsWith("import ") && line.endsWith(".*;")) {
            complaints.add(where(file, number) + "imports a whole package");
        }
    }

    @Test
    void javaIsSmallNamedAndDocumented() throws Exception {
        var compiler = ToolProvider.getSystemJavaCompiler();
        try (var manager = compiler.getStandardFileManager(null, null, null)) {
            var files = sources("java");
            var task = (JavacTask) compiler.getTask(
                    null, manager, null, List.of("-proc:none"), null, manager.getJavaFileObjectsFromPaths(files));
            var trees = DocTrees.instance(task);
            for (CompilationUnitTree unit : task.parse()) {
                new JavaRules(unit, trees).scan(unit, null);
            }
        }
        assertThat(complaints).isEmpty();
    }

    @Test
    void functionsInCAreShort() throws Exception {
        var files = sources("c");
        assertThat(files).isNotEmpty();
        for (Path file : files) {
            List<String> lines = Files.readAllLines(file);
            int start = -1;
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                if (start < 0 && line.matches("\\w.*\\).*\\{|\\{")) {
                    start = i;
                } else if (line.startsWith("}")) {
                    if (start >= 0 && i - start + 1 > C_FUNCTION_LINES) {
                        complaints.add(where(file, start + 1) + "function has " + (i - start + 1) + " lines");
                    }
                    start = -1;
                }
            }
        }
        assertThat(complaints).isEmpty();
    }

    @Test
    void everyPackageSaysWhatItIsFor() throws Exception {
        for (Path file : sources("java")) {
            if (file.toString().contains("src/main/java")) {
                Path info = file.resolveSibling("package-info.java");
                if (!Files.exists(info)) {
                    complaints.add(where(file, 1) + "is in a package without package-info.java");
                } else if (Files.readString(info).lines().filter(l -> l.startsWith("///")).count() < 5) {
                    complaints.add(where(info, 1) + "has no five-line description");
                }
            }
        }
        assertThat(complaints.stream().distinct().toList()).isEmpty();
    }

    private String where(Path file, long line) {
        return root.relativize(file) + ":" + line + " ";
    }

    private List<Path> sources(String... endings) throws IOException {
        var wanted = Set.of(endings);
        var found = new ArrayList<Path>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                String name = directory.getFileName().toString();
                return name.equals("target") || (name.startsWith(".") && !name.equals(".ci"))
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                String name = file.getFileName().toString();
                if (wanted.contains(name.substring(name.lastIndexOf('.') + 1))) {
                    found.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        found.sort(null);
        return found;
    }

    /// The rules that need the syntax tree.
    private final class JavaRules extends TreePathScanner<Void, Void> {
        private final CompilationUnitTree unit;
        private final DocTrees trees;
        private final Path file;
        private final boolean test;

        JavaRules(CompilationUnitTree unit, DocTrees trees) {
            this.unit = unit;
            this.trees = trees;
            this.file = Path.of(unit.getSourceFile().toUri());
            this.test = file.toString().contains("src/test/java");
        }

        @Override
        public Void visitClass(ClassTree tree, Void unused) {
            String name = tree.getSimpleName().toString();
            if (!name.isEmpty()) {
                checkClass(tree, name);
            }
            return super.visitClass(tree, unused);
        }

        private void checkClass(ClassTree tree, String name) {
            var modifiers = tree.getModifiers().getFlags();
            if (EMPTY_WORDS.matcher(name).matches()) {
                complain(tree, "type " + name + " is named by an empty word");
            }
            boolean open = modifiers.contains(Modifier.FINAL)
                    || modifiers.contains(Modifier.ABSTRACT)
                    || modifiers.contains(Modifier.SEALED)
                    || modifiers.contains(Modifier.NON_SEALED);
            if (!test && tree.getKind() == Tree.Kind.CLASS && !open) {
                complain(tree, "class " + name + " is neither final nor sealed nor abstract");
            }
            if (!test && !modifiers.contains(Modifier.PRIVATE) && undocumented()) {
                complain(tree, "type " + name + " is not documented");
            }
        }

        @Override
        public Void visitMethod(MethodTree tree, Void unused) {
            String name = tree.getName().toString();
            long lines = lineOf(trees.getSourcePositions().getEndPosition(unit, tree)) - lineOf(start(tree)) + 1;
            if (lines > METHOD_LINES) {
                complain(tree, "method " + name + " has " + lines + " lines, at most " + METHOD_LINES);
            }
            boolean constructor = name.equals("<init>");
            boolean systemCall = file.endsWith("Frame.java"); // they have up to six arguments
            if (!constructor && !test && !systemCall && tree.getParameters().size() > PARAMETERS) {
                complain(tree, "method " + name + " has " + tree.getParameters().size() + " parameters");
            }
            boolean overrides = tree.getModifiers().getAnnotations().toString().contains("@Override");
            if (!test && !constructor && !overrides && name.matches("get[A-Z].*")) {
                complain(tree, "method " + name + " has a get prefix");
            }
            boolean isPublic = tree.getModifiers().getFlags().contains(Modifier.PUBLIC);
            if (!test && !constructor && !overrides && isPublic && lines > 3 && undocumented()) {
                complain(tree, "public method " + name + " is not documented");
            }
            return super.visitMethod(tree, unused);
        }

        private boolean undocumented() {
            return trees.getDocComment(getCurrentPath()) == null;
        }

        private long start(Tree tree) {
            return trees.getSourcePositions().getStartPosition(unit, tree);
        }

        private long lineOf(long position) {
            return unit.getLineMap().getLineNumber(position);
        }

        private void complain(Tree tree, String what) {
            complaints.add(where(file, lineOf(start(tree))) + what);
        }
    }
}
