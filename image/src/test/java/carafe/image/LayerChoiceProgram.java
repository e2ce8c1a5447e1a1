package carafe.image;

import java.nio.file.Path;

/// Says in which form the layers in a directory are kept where this runs: `LayerChoiceProgram DIRECTORY`.
final class LayerChoiceProgram {

    private LayerChoiceProgram() {}

    public static void main(String[] arguments) throws Exception {
        System.out.println(LayerChoiceTest.open(Path.of(arguments[0])));
    }
}
