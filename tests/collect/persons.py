"""Invented persons of many countries, as survey files hold them, and columns that only look like it.

Labels are worded as questionnaires and form servers word them; they are made up, not quoted.
"""

# ruff: noqa: RUF001 - letters of several scripts are meant

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Cells = list[str | float | None]


@dataclass(frozen=True)
class Locale:
    """Parts of names, an address form with {n}, telephone forms (# is a digit), and labels by kind."""

    given: str
    family: str
    street: str
    phone: tuple[str, ...]
    labels: Mapping[str, str]
    join: str = " "
    digits: str = "0123456789"


LOCALES: Mapping[str, Locale] = {
    "en_KE": Locale(
        "Achieng Wanjiru Kamau Otieno Njeri Mutua Chebet Barasa Akinyi Kiprono Wambui Odhiambo",
        "Mwangi Omondi Kariuki Cheruiyot Wekesa Njoroge Koech Onyango Maina Rotich Ndungu",
        "{n} Moi Avenue;Plot {n} Kibera Drive;House {n}, Ngong Road",
        ("+254 7## ### ###", "07########"),
        {
            "name": "Name of the selected child (line 3 of roster)",
            "phone": "Can I have a number to call you back?",
        },
    ),
    "fr_SN": Locale(
        "Awa Fatou Mamadou Ousmane Aïssatou Cheikh Ndèye Moussa Khady Ibrahima Sokhna",
        "Diop Ndiaye Sarr Fall Diallo Sow Cissé Gueye Sène Faye Thiam Bâ",
        "{n} rue Félix Faure;Villa {n}, Sicap Liberté;{n} bis avenue Cheikh Anta Diop",
        ("+221 7# ### ## ##", "7########"),
        {"name": "Nom et prénoms de l'enquêté", "phone": "Numéro de téléphone du chef de ménage"},
    ),
    "es_PE": Locale(
        "María José Luis Rosa Carmen Ángel Julia Héctor Íñigo Pilar Yolanda Óscar",
        "Quispe Huamán Flores Rodríguez Mamani Ñahui Sánchez García Rojas Vásquez Chávez",
        "Jr. Los Olivos {n};Av. Grau N° {n};Mz. B Lote {n} Villa El Salvador",
        ("9## ### ###", "(01) ###-####"),
        {"name": "¿Cuál es su nombre completo?", "phone": "Teléfono celular o fijo"},
    ),
    "pt_MZ": Locale(
        "João Ana Inês Armando Graça Celeste Tomás Lurdes Fátima Zacarias",
        "Machel Sitoe Mondlane Cossa Tembe Nhantumbo Muianga Chissano Massinga Langa",
        "Rua da Resistência, {n};Avenida 24 de Julho n.º {n};Quarteirão {n} casa 7",
        ("+258 8# ### ####", "8########"),
        {"name": "Nome do entrevistado", "phone": "Contacto telefónico (telemóvel)"},
    ),
    "de_AT": Locale(
        "Anna Lukas Jörg Elisabeth Günther Sophie Maximilian Käthe Wolfgang Ursula",
        "Gruber Huber Müller Steiner Moser Wagner Pichler Fröhlich Schäfer Kofler",
        "Mariahilfer Straße {n};Hauptplatz {n}a;Am Graben {n}/4",
        ("+43 664 #######", "0664/### ## ##"),
        {"name": "Vor- und Familienname des Kindes", "phone": "Telefonisch erreichbar unter"},
    ),
    "tr_TR": Locale(
        "Ayşe Mehmet Çiğdem İbrahim Şule Özgür Gülşah Ömer Zeynep Işıl",
        "Yılmaz Kaya Demir Şahin Çelik Öztürk Aydın Arslan Doğan Kılıç",
        "Atatürk Caddesi No: {n};Gül Sokak {n}/3;Cumhuriyet Mah. {n}. Sokak",
        ("0 5## ### ## ##", "+90 5#########"),
        {"name": "Görüşülen kişinin adı ve soyadı", "phone": "Cep telefonu numaranız"},
    ),
    "vi_VN": Locale(
        "Văn Thị Minh Hồng Đức Ngọc Quang Thùy Xuân Phương",
        "Nguyễn Trần Lê Phạm Hoàng Đặng Bùi Đỗ Ngô Vũ",
        "Số {n} đường Lê Lợi;{n} phố Hàng Bông;Ngõ {n} Kim Mã",
        ("09########", "+84 9# ### ## ##"),
        {"name": "Họ và tên chủ hộ", "phone": "Số điện thoại liên hệ"},
    ),
    "ru_KZ": Locale(
        "Айгуль Сергей Динара Алексей Мадина Ольга Нурлан Татьяна Ерлан Юлия",
        "Иванов Сейтказиев Петрова Ахметов Ким Смирнова Жумабаев Кузнецова Оспанов",
        "ул. Абая, д. {n};проспект Назарбаева {n}, кв. 5;мкр. Самал-2, дом {n}",
        ("+7 7## ### ## ##", "8 (7##) ###-##-##"),
        {"name": "Фамилия, имя, отчество респондента", "phone": "Контактный телефон"},
    ),
    "el_GR": Locale(
        "Γιώργος Μαρία Ελένη Δημήτρης Κατερίνα Νίκος Σοφία Ιωάννης Άννα",
        "Παπαδόπουλος Νικολάου Γεωργίου Οικονόμου Βασιλείου Αντωνίου Μακρής Ιωάννου",
        "Οδός Ερμού {n};Λεωφόρος Κηφισίας {n};Πλατεία Ομονοίας {n}",
        ("69########", "+30 69# ### ####"),
        {"name": "Ονοματεπώνυμο ερωτώμενου", "phone": "Αριθμός τηλεφώνου"},
    ),
    "ar_EG": Locale(
        "محمد أحمد فاطمة مريم خالد نورهان يوسف سارة عمر زينب حسن إيمان",
        "عبدالله الشريف حسين إبراهيم منصور السيد عثمان المصري خليل رمضان سليمان",
        "{n} شارع التحرير;عمارة {n} شارع النيل;{n} ش الجمهورية الدور الثالث",
        ("01#########", "+20 1# #### ####"),
        {"name": "اسم رب الأسرة رباعي", "phone": "رقم الهاتف المحمول"},
        digits="٠١٢٣٤٥٦٧٨٩",
    ),
    "fa_IR": Locale(
        "زهرا علی فاطمه حسین مریم رضا نرگس مهدی لیلا امیر",
        "احمدی کریمی رضایی محمدی حسینی موسوی جعفری صادقی قاسمی",
        "خیابان ولیعصر پلاک {n};کوچه {n} بلوار کشاورز;میدان انقلاب شماره {n}",
        ("09#########", "+98 9# #### ####"),
        {"name": "نام و نام خانوادگی پاسخگو", "phone": "شماره تماس"},
        digits="۰۱۲۳۴۵۶۷۸۹",
    ),
    "hi_IN": Locale(
        "प्रिया राहुल सुनीता अमित पूजा विकास अंजलि संजय कविता रोहित",
        "शर्मा सिंह कुमारी वर्मा गुप्ता यादव पटेल मिश्रा चौहान राठौर",
        "मकान नं {n} गांधी नगर;{n} महात्मा गांधी मार्ग;गली नंबर {n} करोल बाग",
        ("+91 ##### #####", "9#########"),
        {"name": "उत्तरदाता का पूरा नाम", "phone": "मोबाइल नंबर"},
        digits="०१२३४५६७८९",
    ),
    "bn_BD": Locale(
        "রহিম করিম ফাতেমা আয়েশা হাসান সুমাইয়া তানভীর নুসরাত",
        "হোসেন ইসলাম আক্তার বেগম রহমান চৌধুরী খাতুন সরকার উদ্দিন",
        "বাড়ি {n} রোড ধানমন্ডি;{n} নং মিরপুর সড়ক;হোল্ডিং {n} বনানী",
        ("01#########", "+880 1### ######"),
        {"name": "উত্তরদাতার নাম", "phone": "মোবাইল নম্বর"},
        digits="০১২৩৪৫৬৭৮৯",
    ),
    "th_TH": Locale(
        "สมชาย สมหญิง วิชัย มาลี ประเสริฐ สุดา อนุชา กมลวรรณ ณัฐพล",
        "ใจดี ศรีสุข ทองคำ แก้วมณี บุญมี รักไทย วงศ์สวัสดิ์ จันทร์แก้ว",
        "{n} ถนนสุขุมวิท;บ้านเลขที่ {n} หมู่ 4;{n}/2 ซอยอารีย์",
        ("08########", "08#-###-####"),
        {"name": "ชื่อ-นามสกุล ผู้ให้สัมภาษณ์", "phone": "หมายเลขโทรศัพท์ที่ติดต่อได้"},
        digits="๐๑๒๓๔๕๖๗๘๙",
    ),
    "zh_CN": Locale(
        "伟 芳 娜 秀英 敏 静 丽 强 磊 洋 艳 勇",
        "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙",
        "北京市朝阳区建国路{n}号;上海市南京西路{n}号三单元;广州市天河北路{n}号",
        ("13#########", "+86 13# #### ####"),
        {"name": "受访者姓名", "phone": "联系电话"},
        join="",
    ),
    "ko_KR": Locale(
        "민준 서연 도윤 지우 예준 하은 시우 수아 주원 지민 현우 다은 건우 채원 우진 소율 선우 유나 영숙 정호",
        "김 이 박 최 정 강 조 윤 장 임",
        "서울시 종로구 세종대로 {n};부산시 해운대로 {n}번길 5;강남대로 {n}길 12",
        ("010-####-####", "+82 10 #### ####"),
        {"name": "응답자의 이름을 적어 주십시오", "phone": "휴대폰 번호"},
        join="",
    ),
    "ja_JP": Locale(
        "太郎 花子 健一 美咲 翔太 さくら 大輔 陽子 直樹 結衣 拓也 葵 蓮 陽菜 悠真 凛 樹 結菜 誠 真由美",
        "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤",
        "東京都新宿区西新宿{n}丁目8番;大阪府大阪市北区梅田{n}-2;札幌市中央区北一条西{n}丁目",
        ("090-####-####", "+81 90 #### ####"),
        {"name": "お名前(漢字)", "phone": "日中連絡のつく電話番号"},
        join="",
    ),
    "am_ET": Locale(
        "አበበ ተስፋዬ ሰላም ሃና ዳዊት ማርታ በቀለ ትዕግስት ሳሙኤል",
        "ከበደ ገብረ ታደሰ መኮንን ወልዴ አለሙ ደሳለኝ ኃይሉ",
        "ቦሌ ቀበሌ {n};የቤት ቁጥር {n} ፒያሳ;አራት ኪሎ መንገድ {n}",
        ("09########", "+251 9# ### ####"),
        {"name": "የተጠያቂው ሙሉ ስም", "phone": "ስልክ ቁጥር"},
    ),
    "ka_GE": Locale(
        "გიორგი ნინო დავით მარიამ ლუკა ანა ნიკა თამარ ირაკლი",
        "ბერიძე კაპანაძე გელაშვილი მაისურაძე გიორგაძე ლომიძე წიკლაური",
        "რუსთაველის გამზირი {n};ჭავჭავაძის ქუჩა {n};აღმაშენებლის {n} ბინა 3",
        ("+995 5## ## ## ##", "5########"),
        {"name": "რესპონდენტის სახელი და გვარი", "phone": "საკონტაქტო ტელეფონი"},
    ),
    "sw_TZ": Locale(
        "Juma Asha Neema Baraka Rehema Hamisi Zawadi Salum Mwanaidi",
        "Mushi Massawe Kimaro Mwakyusa Shayo Ngowi Msuya Lyimo Mrema",
        "Nyumba namba {n} Kariakoo;Mtaa wa Samora {n};Kitalu {n} Mbezi Beach",
        ("+255 7## ### ###", "07########"),
        {"name": "Jina kamili la mhojiwa", "phone": "Namba ya simu"},
    ),
    "id_ID": Locale(
        "Budi Siti Agus Dewi Rizky Putri Wahyu Indah Eko Nurul",
        "Santoso Wijaya Rahayu Saputra Lestari Hidayat Kusuma Pratama",
        "Jl. Sudirman No. {n};Gang Melati {n} RT 03;Perum Griya Asri Blok {n}",
        ("08##########", "+62 812-####-####"),
        {"name": "Nama lengkap responden", "phone": "Nomor HP / telepon rumah"},
    ),
}


class Persons:
    """Draws the cells of columns for one locale."""

    def __init__(self, locale: Locale, rows: int, seed: int) -> None:
        self.locale = locale
        self.rows = rows
        self.random = np.random.default_rng(seed)

    def _each(self, make: Callable[[], str]) -> Cells:
        return [make() for _ in range(self.rows)]

    def _one(self, parts: str, separator: str | None = None) -> str:
        return str(self.random.choice(parts.split(separator)))

    def _numbered(self, form: str) -> str:
        return "".join(str(self.random.integers(10)) if sign == "#" else sign for sign in form)

    def _local(self, text: str) -> str:
        return text.translate(str.maketrans("0123456789", self.locale.digits))

    def names(self) -> Cells:
        one, local = self._one, self.locale
        if local.join == "":
            return self._each(lambda: one(local.family) + one(local.given))
        return self._each(lambda: f"{one(local.given)} {one(local.family)} {one(local.family)}")

    def phones(self) -> Cells:
        return self._each(lambda: self._local(self._numbered(str(self.random.choice(self.locale.phone)))))

    def addresses(self) -> Cells:
        def address() -> str:
            return self._one(self.locale.street, ";").format(n=int(self.random.integers(1, 400)))

        return self._each(lambda: self._local(address()))

    def births(self) -> Cells:
        days = self.random.integers(9 * 365, 18 * 365, self.rows)
        return [(dt.date(2025, 5, 1) - dt.timedelta(days=int(day))).strftime("%d/%m/%Y") for day in days]

    def numbers(self, digits: int) -> Cells:
        return self._each(lambda: self._numbered("3" + "#" * (digits - 1)))


def paradata(rows: int, seed: int) -> dict[str, tuple[str, Cells]]:
    """Return column -> (label, cells) of what form servers add, and of what respondents write."""
    draw = np.random.default_rng(seed)
    hexa = lambda length: "".join(draw.choice(list("0123456789abcdef"), length))  # noqa: E731
    start = dt.datetime(2025, 4, 1, 8, 0, 0)
    stories = (
        "a man from the next village asked me for pictures",
        "my teacher said it was not her business at all",
        "they laughed at me in the group for many weeks",
        "I told mother and she called the police station",
        "somebody used my account to write to friends",
    )
    return {
        "_uuid": ("", [f"{hexa(8)}-{hexa(4)}-4{hexa(3)}-a{hexa(3)}-{hexa(12)}" for _ in range(rows)]),
        "start": (
            "",
            [(start + dt.timedelta(seconds=int(s))).isoformat() for s in draw.integers(0, 10**6, rows)],
        ),
        "clientaddr": ("", [".".join(map(str, draw.integers(1, 255, 4))) for _ in range(rows)]),
        "wlan": ("", [":".join(hexa(2) for _ in range(6)) for _ in range(rows)]),
        "y_dec": ("", [round(float(x), 6) for x in draw.uniform(-1.9, -0.9, rows)]),
        "x_dec": ("", [round(float(x), 6) for x in draw.uniform(36.2, 37.4, rows)]),
        "_geolocation": ("", [f"{x:.6f} {x + 20:.6f} 0 4.5" for x in draw.uniform(10, 12, rows)]),
        "q77": ("", [f"kid{hexa(5)}@example.org" if draw.random() < 0.1 else None for _ in range(rows)]),
        "q78": ("", [f"@star_{hexa(5)}" if draw.random() < 0.1 else None for _ in range(rows)]),
        "q79x": (
            "",
            [f"{draw.choice(stories)} {hexa(3)}" if draw.random() < 0.2 else None for _ in range(rows)],
        ),
        "q80": (
            "",
            [
                "please call 0712 345 67" + hexa(0) + str(draw.integers(10, 99))
                if draw.random() < 0.02
                else "no"
                for _ in range(rows)
            ],
        ),
        "serial": ("", [float(number) for number in range(1, rows + 1)]),
        "acct": ("", [f"DE{draw.integers(10, 99)}{draw.integers(10**17, 10**18)}" for _ in range(rows)]),
    }


def answers(rows: int, seed: int) -> dict[str, tuple[str, Cells]]:
    """Return columns that name no person, although some of their names or labels sound like it."""
    draw = np.random.default_rng(seed)
    pick = lambda *values: [str(value) for value in draw.choice(values, rows)]  # noqa: E731
    codes = lambda *values: [float(value) for value in draw.choice(values, rows)]  # noqa: E731
    places = [f"{a}{b}" for a in ("Ko", "Ba", "Mi", "Sa", "Tu") for b in ("ranga", "luti", "senso", "wero")]
    return {
        "dev_phone": ("Uses a mobile phone to go online", codes(0, 1)),
        "father_in_house": ("Does your father live in this house?", codes(1, 2, 8)),
        "phone_use": ("How often do you use a telephone?", pick("Never", "Every day", "Once a week")),
        "region_name": ("Name of region", pick(*places)),
        "lang": ("Language of interview", pick("English", "Kiswahili", "Dholuo", "French")),
        "mail_ever": ("Has anyone sent you an e-mail that upset you?", codes(1, 2, 9)),
        "address_told": ("Told home address to somebody met online", codes(1, 2, -8)),
        "birth_year": ("Year of birth", codes(*range(2008, 2017))),
        "birth_order": ("Birth order", codes(1, 2, 3, 4, 5, 6)),
        "tchr_help": ("Teacher helped", codes(1, 2, 98, 99)),
        "wt": ("Final weight", [round(float(x), 6) for x in draw.gamma(4, 0.25, rows)]),
        "wt2": ("Weight before calibration", [round(float(x), 6) for x in draw.gamma(4, 0.25, rows)]),
        "wgt_expansion": ("Expansion factor", [float(x) for x in draw.gamma(4, 300, rows)]),
        "hhincome": ("Monthly household income", [float(x) * 500 for x in draw.integers(1, 400, rows)]),
        "duration": ("Length in minutes", [round(float(x), 2) for x in draw.gamma(9, 4, rows)]),
        "psu": ("Cluster number", codes(*range(1001, 1080))),
        "ageband": ("Age group", pick("9-11", "12-14", "15-17")),
        "int_month": ("Month of interview", pick("2025-03", "2025-04", "2025-05")),
        "likert": ("Felt upset", pick("Not at all upset", "A bit upset", "Fairly upset", "Very upset by it")),
        "apps": (
            "Which apps",
            pick("TikTok;YouTube", "WhatsApp", "YouTube", "TikTok;WhatsApp;Roblox", "None"),
        ),
        "consent_date": ("Consent recorded", codes(0, 1)),
        "sch_type": ("Type of school", pick("Public", "Private", "Faith based")),
        "grade": ("Grade at school", pick(*[f"Grade {g}" for g in range(3, 12)])),
        "score": ("Wellbeing score", [float(x) for x in draw.integers(0, 101, rows)]),
        **{f"q{n}": (f"Question {n}", codes(1, 2, 3, 4, 5, -9)) for n in range(40)},
    }
