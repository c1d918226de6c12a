"""What officers write in several languages: {en, zh-hans, ru}, kept together in one field.

``MultilingualField`` stores it, ``Text`` says it in the reader's language.
"""
