import java.io.FileInputStream;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.FormIndex;
import org.javarosa.core.model.data.IAnswerData;
import org.javarosa.core.model.data.IntegerData;
import org.javarosa.core.model.data.SelectMultiData;
import org.javarosa.core.model.data.SelectOneData;
import org.javarosa.core.model.data.StringData;
import org.javarosa.core.model.data.helper.Selection;
import org.javarosa.core.model.instance.InstanceInitializationFactory;
import org.javarosa.core.model.instance.TreeElement;
import org.javarosa.form.api.FormEntryController;
import org.javarosa.form.api.FormEntryModel;
import org.javarosa.form.api.FormEntryPrompt;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.xform.util.XFormUtils;

/**
 * Walks through a form with JavaRosa, the engine of ODK Collect, once for every file of answers (NAME=VALUE).
 * Prints what the form holds at the end of each walk, NAME=VALUE, behind the file's name.
 */
public class Answer {
  public static void main(String[] arguments) throws Exception {
    new XFormsModule().registerModule();
    for (int number = 1; number < arguments.length; number++) {
      Properties answers = new Properties();
      try (Reader reader = Files.newBufferedReader(Path.of(arguments[number]))) {
        answers.load(reader);
      }
      System.out.println("# " + Path.of(arguments[number]).getFileName());
      print(walk(XFormUtils.getFormFromInputStream(new FileInputStream(arguments[0])), answers));
    }
  }

  static TreeElement walk(FormDef form, Properties answers) {
    form.initialize(true, new InstanceInitializationFactory());
    FormEntryController controller = new FormEntryController(new FormEntryModel(form));
    controller.jumpToIndex(FormIndex.createBeginningOfFormIndex());
    for (int event = controller.stepToNextEvent();
        event != FormEntryController.EVENT_END_OF_FORM;
        event = controller.stepToNextEvent()) {
      if (event != FormEntryController.EVENT_QUESTION) {
        continue;
      }
      FormEntryPrompt prompt = controller.getModel().getQuestionPrompt();
      String name = prompt.getIndex().getReference().getNameLast();
      String value = answers.getProperty(name);
      if (value == null || prompt.isReadOnly()) {
        continue;
      }
      if (controller.answerQuestion(data(prompt, value), true) != FormEntryController.ANSWER_OK) {
        throw new IllegalStateException("not accepted: " + name);
      }
    }
    return form.getMainInstance().getRoot();
  }

  static IAnswerData data(FormEntryPrompt prompt, String value) {
    if (prompt.getControlType() == Constants.CONTROL_SELECT_ONE) {
      return new SelectOneData(new Selection(value));
    }
    if (prompt.getControlType() == Constants.CONTROL_SELECT_MULTI) {
      List<Selection> selections = new ArrayList<>();
      for (String code : value.split(" ")) {
        selections.add(new Selection(code));
      }
      return new SelectMultiData(selections);
    }
    if (prompt.getDataType() == Constants.DATATYPE_INTEGER) {
      return new IntegerData(Integer.parseInt(value));
    }
    return new StringData(value);
  }

  static void print(TreeElement element) {
    if (element.getNumChildren() == 0) {
      boolean empty = !element.isRelevant() || element.getValue() == null;
      System.out.println(
          element.getName() + "=" + (empty ? "" : element.getValue().uncast().getString()));
    }
    for (int child = 0; child < element.getNumChildren(); child++) {
      print(element.getChildAt(child));
    }
  }
}
